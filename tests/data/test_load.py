from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from accordeur.data import Reading, SplitRule, load_examples, load_splits
from accordeur.errors import DataError
from tests.data.files import jsonl, says, write


def table(folder: Path, name: str, count: int, start: int = 0) -> Path:
    return jsonl(folder, [{"body": f"text {n}", "stars": n % 3, "who": f"w{n // 4}"} for n in range(start, start + count)], name)


READING = Reading(mapping={"text": "body", "label": "stars"})


def test_one_call_from_file_to_splits(tmp_path: Path) -> None:
    loaded = load_splits(table(tmp_path, "all.jsonl", 120), reading=READING, rule=SplitRule(seed=3))
    assert loaded.shape.kind == "classify"
    assert sum(loaded.summary.rows.values()) == 120
    again = load_splits(tmp_path / "all.jsonl", reading=READING, rule=SplitRule(seed=3))
    assert again == loaded


def test_given_files_are_read_in_the_same_shape(tmp_path: Path) -> None:
    train, test = table(tmp_path, "train.jsonl", 60), table(tmp_path, "test.jsonl", 30, start=50)
    loaded = load_splits(train, test=test, reading=READING)
    assert loaded.summary.rows["test"] == 30
    assert loaded.summary.dropped.count == 10
    says(" ".join(loaded.notes), "10 train rows left out")


def test_test_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    test = jsonl(tmp_path, [{"text": "a", "label": "b"}], "test.jsonl")
    with pytest.raises(DataError, match=r"test\.jsonl:1: lacks 'body', 'stars'"):
        load_splits(table(tmp_path, "train.jsonl", 60), test=test, reading=READING)


def test_group_column_keeps_groups_whole(tmp_path: Path) -> None:
    parts = load_splits(table(tmp_path, "all.jsonl", 120), reading=READING, rule=SplitRule(group="who")).splits
    groups = [{example.extra["who"] for example in found} for found in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 30


def test_where_reads_only_the_rows_with_these_values(tmp_path: Path) -> None:
    path = table(tmp_path, "all.jsonl", 120)
    _, rows, _ = load_examples(path, reading=replace(READING, where={"stars": "2", "who": "w5"}))
    assert [row.extra["who"] for row in rows] == ["w5", "w5"] and {row.expected for row in rows} == {"2"}


def test_where_holds_for_the_test_file_too(tmp_path: Path) -> None:
    train = jsonl(tmp_path, [{"text": f"a {n}", "label": n % 2, "part": n % 3} for n in range(120)], "train.jsonl")
    test = jsonl(tmp_path, [{"text": f"b {n}", "label": n % 2, "part": n % 3} for n in range(30)], "test.jsonl")
    loaded = load_splits(train, test=test, reading=Reading(where={"part": "1"}))
    assert loaded.summary.rows["test"] == 10 and sum(loaded.summary.rows.values()) == 50


def test_where_that_no_row_answers_names_what_stands_there(tmp_path: Path) -> None:
    with pytest.raises(DataError) as fault:
        load_examples(table(tmp_path, "all.jsonl", 12), reading=replace(READING, where={"stars": "7"}))
    says(str(fault.value), "no row has stars=7; stars is 0, 1, 2")


def test_skip_bad_and_separator_reach_the_reader(tmp_path: Path) -> None:
    lines = "".join(f"text number {n}§{'ab'[n % 2]}\n" for n in range(40))
    path = write(tmp_path, "rows.csv", "text§label\nalone\n" + lines)
    loaded = load_splits(path, reading=Reading(separator="§", skip_bad=1))
    assert sum(loaded.summary.rows.values()) == 40
    says(" ".join(loaded.notes), "1 bad rows left out")


def test_reading_needs_no_heavy_library() -> None:
    code = "import sys, accordeur.data; print([m for m in ('torch', 'transformers', 'pandas', 'pyarrow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
