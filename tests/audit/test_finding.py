"""What findings say, in both languages."""

from __future__ import annotations

import json
import string

import pytest

from accordeur.audit import audit
from accordeur.audit.finding import WORDS, Finding, written
from tests.audit.subjects import labelled, subject
from tests.audit.test_labels import topical


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_code_is_said_in_every_language_with_the_same_values() -> None:
    english, french = WORDS["en"], WORDS["fr"]
    assert english.keys() == french.keys()
    for code in english:
        assert [fields(text) for text in english[code]] == [fields(text) for text in french[code]], code


@pytest.mark.parametrize(
    ("value", "language", "text"),
    [
        (1234567, "en", "1,234,567"),
        (1234567, "fr", "1\u202f234\u202f567"),
        (12.345, "en", "12.35"),
        (0.5, "fr", "0,50"),
        ("a", "fr", "a"),
    ],
)
def test_numbers_follow_the_language(value: object, language: str, text: str) -> None:
    assert written(value, language) == text


def test_parts_are_named_in_the_language() -> None:
    finding = Finding(code="leaked-rows", severity="error", count=2, values={"part": "train", "other": "test"})
    assert finding.said("fr")[0] == "Lignes de la partie apprentissage qui figurent aussi dans la partie test\u00a0: 2."
    assert finding.said("en")[0] == "Rows of train that stand in test too: 2."


def test_an_audit_is_plain_data() -> None:
    rows = [*topical(60), ("see me@example.org", "food"), ("", "rail"), topical(1)[0]]
    plain = audit(subject(labelled(rows))).as_dict()
    again = json.loads(json.dumps(plain, allow_nan=False))
    assert again["findings"][0]["message"].keys() == {"en", "fr"}
    assert again["warnings"] == len(again["findings"])
    assert again["facts"]["rows"] == {"file": 63}
