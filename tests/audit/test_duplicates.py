"""Exact and near duplicates, planted."""

from __future__ import annotations

import pytest

from accordeur.audit import Subject, audit
from tests.audit.subjects import codes, finding, instructed, labelled, subject
from tests.audit.test_near import sentences

ROWS = [(text, "a" if place % 2 else "b") for place, text in enumerate(sentences(40))]


def test_exact_duplicates_are_named_with_their_twin() -> None:
    rows = labelled([*ROWS, (ROWS[3][0].upper() + " ", "a"), (ROWS[4][0], "b")])
    found = finding(audit(subject(rows), quick=True), "duplicates")
    assert (found.severity, found.count) == ("warning", 2)
    assert found.rows == ("rows.jsonl:41 = rows.jsonl:4", "rows.jsonl:42 = rows.jsonl:5")


@pytest.mark.parametrize(
    "change", [lambda text: text + " now", lambda text: text.replace("e", "é", 1), lambda text: "so " + text]
)
def test_near_duplicates_are_named_with_their_twin(change) -> None:  # type: ignore[no-untyped-def]
    rows = labelled([*ROWS, (change(ROWS[7][0]), ROWS[7][1])])
    found = finding(audit(subject(rows), quick=True), "near-duplicates")
    assert found.rows == ("rows.jsonl:41 = rows.jsonl:8",)


def test_clean_rows_have_neither() -> None:
    assert not {"duplicates", "near-duplicates"} & set(codes(audit(subject(labelled(ROWS)), quick=True)))


def test_answers_count_where_many_may_be_right() -> None:
    asked = "Write a short poem about the sea and its moods in the spring"
    rows = instructed(
        [(asked, "Waves come in and go"), (asked + "!", "A storm over grey water"), (asked + ".", "Waves come in and go")]
    )
    found = finding(audit(subject(rows, "write"), quick=True), "near-duplicates")
    assert found.rows == ("rows.jsonl:3 = rows.jsonl:1",)


def test_shared_system_turn_and_context_do_not_count() -> None:
    rows = instructed([("x", "y")] * 2)
    system = {"role": "system", "content": "You answer politely, shortly, and always in the language of the question. " * 4}
    turns = [(system, {"role": "user", "content": text}) for text in ("Where is my order?", "Do you repair violins?")]
    chats = tuple(
        type(rows[0])(id=str(line), given={"messages": pair}, expected=f"answer {line}", file="c", line=line)
        for line, pair in enumerate(turns, start=1)
    )
    assert Subject(kind="write", parts={"file": chats}).near.pairs == []
