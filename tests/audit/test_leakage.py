"""Rows, near rows and groups on two sides, planted."""

from __future__ import annotations

import pytest

from accordeur.audit import audit, audit_splits, refuse
from accordeur.data import split
from accordeur.errors import DataError
from tests.audit.subjects import codes, finding, labelled, subject
from tests.audit.test_near import sentences

TEXTS = sentences(60)
TRAIN = [(text, "a" if place % 2 else "b") for place, text in enumerate(TEXTS[:40])]
TEST = [(text, "a" if place % 2 else "b") for place, text in enumerate(TEXTS[40:])]


def test_leaked_rows_are_an_error() -> None:
    rows = labelled([*TRAIN, *((text.title(), label) for text, label in TEST[:5])])
    found = audit(subject(rows, test=labelled(TEST, "test.jsonl")), quick=True)
    leak = finding(found, "leaked-rows")
    assert (leak.severity, leak.count) == ("error", 5)
    assert leak.rows[0] == "rows.jsonl:41 = test.jsonl:1"
    assert found.errors == (leak,)
    assert found.findings[0] == leak


def test_near_leaks_are_a_warning_with_the_test_rows_concerned() -> None:
    rows = labelled([*TRAIN, (TEST[2][0] + " ok", "a"), ("oh " + TEST[2][0], "a")])
    leak = finding(audit(subject(rows, test=labelled(TEST, "test.jsonl")), quick=True), "near-leaks")
    assert (leak.severity, leak.count, leak.values["judged"]) == ("warning", 2, 1)
    assert leak.rows[0] == "rows.jsonl:41 ≈ test.jsonl:3"


def test_groups_leak_where_a_group_column_is_named() -> None:
    rows = labelled(TRAIN, thread=[f"t{place // 2}" for place in range(40)])
    test = labelled(TEST, "test.jsonl", thread=["t3", "t3", "t9", *(f"u{place}" for place in range(17))])
    leak = finding(audit(subject(rows, test=test, group="thread"), quick=True), "leaked-groups")
    assert (leak.severity, leak.count, leak.values["groups"]) == ("error", 4, 2)
    assert "leaked-groups" not in codes(audit(subject(rows, test=test), quick=True))


def test_rows_left_out_by_the_splitting_are_told_not_refused() -> None:
    splits = split(labelled([*TRAIN, *TEST[:3]]), kind="classify", test=labelled(TEST, "test.jsonl"))
    found = audit_splits(splits, "classify")
    assert finding(found, "left-out").count == 3
    assert refuse(found) == found


def test_errors_refuse_unless_forced() -> None:
    found = audit(subject(labelled([*TRAIN, TEST[0]]), test=labelled(TEST, "test.jsonl")), quick=True)
    with pytest.raises(DataError) as caught:
        refuse(found, where="rows.jsonl")
    assert "rows.jsonl:41 = test.jsonl:1" in str(caught.value)
    assert "--force" in str(caught.value)
    forced = refuse(found, force=True)
    assert forced.forced
    assert forced.as_dict()["errors"] == 1
