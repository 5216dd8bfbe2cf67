from __future__ import annotations

import json

from accordeur.data import Splits, split, summarise
from tests.data.files import says
from tests.data.test_split import row, rows


def test_counts_by_part_and_class() -> None:
    summary = summarise(split(rows(100), kind="classify"), "classify")
    assert summary.rows == {"train": 64, "validation": 16, "test": 20}
    assert summary.classes == {
        "class 0": {"train": 32, "validation": 8, "test": 10},
        "class 1": {"train": 32, "validation": 8, "test": 10},
    }
    assert summary.notes == ()
    assert json.loads(json.dumps(summary.as_dict()))["rows"]["train"] == 64


def test_duplicates_conflicts_and_leaks_are_found() -> None:
    splits = Splits(
        train=(row("one", "a", 1), row("ONE ", "a", 2), row("two", "a", 3), row("three", "b", 4)),
        validation=(row("four", "b", 5),),
        test=(row("two", "b", 6), row("three", "b", 7)),
    )
    summary = summarise(splits, "classify")
    assert summary.within["train"].shown == (("rows.jsonl:2", "rows.jsonl:1"),)
    assert summary.across["train in test"].shown == (("rows.jsonl:3", "rows.jsonl:6"), ("rows.jsonl:4", "rows.jsonl:7"))
    assert summary.across["train in validation"].count == 0
    assert [conflict.labels for conflict in summary.conflicts] == [{"a": 1, "b": 1}]
    says(
        " ".join(summary.notes),
        "1 train rows repeat",
        "2 rows stand on two sides: train in test",
        "rows.jsonl:3 and rows.jsonl:6",
    )


def test_dropped_rows_count_as_conflicts_too() -> None:
    splits = split(rows(40), kind="classify", test=[row("text 0", "class 1", 1), row("other", "class 0", 2)])
    summary = summarise(splits, "classify")
    assert summary.dropped.shown == (("rows.jsonl:1", "rows.jsonl:1"),)
    assert summary.conflict_count == 1


def test_one_prompt_with_two_answers_is_no_duplicate() -> None:
    splits = Splits(train=(row("ask", "this", 1), row("ask", "that", 2)), validation=(), test=())
    assert summarise(splits, "write").within["train"].count == 0
    assert summarise(splits, "classify").within["train"].count == 1


def test_pairs_shown_are_capped() -> None:
    many = tuple(row("same", "a", line) for line in range(200))
    pairs = summarise(Splits(train=many, validation=(), test=()), "classify").within["train"]
    assert (pairs.count, len(pairs.shown)) == (199, 50)
