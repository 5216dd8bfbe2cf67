"""Many rows live in a file: they read, split and audit exactly as if they were held, and take no memory for it."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.audit import audit_splits
from accordeur.data import load_examples, load_splits, stored
from accordeur.data.keyed import chained, joined, keyed, numbered, twins
from accordeur.data.split import SplitRule
from accordeur.data.stored import Stored, kept
from accordeur.example import Example
from accordeur.task import rows_fingerprint
from tests.data.files import jsonl

TEXT = st.text(max_size=12)  # half characters included
EXTRA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
TURNS = st.lists(st.fixed_dictionaries({"role": TEXT, "content": TEXT}), max_size=3).map(tuple)
SPANS = st.lists(st.fixed_dictionaries({"text": TEXT, "start": st.integers()}), max_size=2).map(tuple)
GIVEN = st.dictionaries(TEXT, TEXT | TURNS | st.lists(TEXT, max_size=3).map(tuple), max_size=3)
EXPECTED = TEXT | st.floats(allow_nan=False) | SPANS | st.lists(TEXT, max_size=3).map(tuple)
EXAMPLE = st.builds(
    Example, id=TEXT, given=GIVEN, expected=EXPECTED, extra=st.dictionaries(TEXT, EXTRA), file=TEXT, line=st.integers(0, 9)
)


@settings(max_examples=200, deadline=None)
@given(st.lists(EXAMPLE, min_size=1, max_size=8), st.sampled_from(["classify", "write"]))
def test_any_rows_come_back_as_they_were(examples: list[Example], kind: str) -> None:
    found = stored.stored(iter(examples), kind)
    assert list(found) == examples == [found[place] for place in range(len(found))]
    assert [type(value) for row in found for value in row.given.values()] == [
        type(value) for row in examples for value in row.given.values()
    ]
    assert list(found.expected()) == [row.expected for row in examples]
    assert rows_fingerprint(found) == rows_fingerprint(examples)
    ours, theirs = keyed(found, kind).keys, keyed(examples, kind).keys
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)


def rows_of(kind: str, count: int = 120) -> list[dict[str, Any]]:
    """Rows with repeats, near repeats, a group column and ids."""
    words = ["hair", "tip", "frog", "screw", "stick", "button", "thumb"]
    texts = [" ".join(words[(place * step) % 7] for step in (1, 2, 3, 5)) + f" {place % 100}" for place in range(count)]
    made: dict[str, Any] = {
        "classify": lambda place, text: {"text": text, "label": "ab"[place % 2]},
        "graded": lambda place, text: {"text1": text, "text2": text.upper(), "score": place / 7},
        "tag": lambda place, text: {"tokens": text.split(), "tags": ["I-X", "O", "I-X", "O", "O"]},
        "extract": lambda place, text: {
            "question": f"{text}?", "context": f"{words[place % 7]} of a bow {place // 8}",
            "answers": {"text": [words[place % 7]], "answer_start": [0]},
        },
        "write": lambda place, text: {
            "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": f"yes {place % 50}"}]
        },
        "prefer": lambda place, text: {"prompt": text, "chosen": "yes", "rejected": f"no {place}"},
        "text": lambda place, text: {"text": text},
    }  # fmt: skip
    return [
        {"id": f"r{place}", **made[kind](place, text), "who": f"w{place // 8}", "n": [place, None]}
        for place, text in enumerate(texts)
    ]


KINDS = ["classify", "graded", "tag", "extract", "write", "prefer", "text"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("group", [None, "who"])
def test_both_ways_of_keeping_rows_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, group: str | None
) -> None:
    path = jsonl(tmp_path, rows_of(kind))
    rule = SplitRule(group=group)
    held = load_splits(path, rule=rule)
    assert isinstance(held.splits.train, tuple)
    monkeypatch.setattr(stored, "LARGE_ROWS", 7)
    monkeypatch.setattr(stored, "BATCH_ROWS", 5)
    large = load_splits(path, rule=rule)
    assert isinstance(large.splits.train, Stored)
    assert {part: tuple(rows) for part, rows in large.splits.parts().items()} == held.splits.parts()
    assert list(large.splits.dropped) == list(held.splits.dropped)
    assert large.notes == held.notes
    assert large.summary == held.summary
    assert audit_splits(large.splits, held.shape.kind, group=group, quick=False) == audit_splits(
        held.splits, held.shape.kind, group=group, quick=False
    )


def test_given_parts_leave_out_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = jsonl(tmp_path, rows_of("classify")), jsonl(tmp_path, rows_of("classify", 30)[20:], "test.jsonl")
    held = load_splits(train, test=test, rule=SplitRule(group="who"))
    monkeypatch.setattr(stored, "LARGE_ROWS", 7)
    large = load_splits(train, test=test, rule=SplitRule(group="who"))
    assert list(large.splits.dropped) == list(held.splits.dropped) != []
    assert large.notes == held.notes
    assert {part: tuple(rows) for part, rows in large.splits.parts().items()} == held.splits.parts()


@pytest.mark.parametrize("spoil", [{"id": 5}, {"id": "r3"}, {"id": ""}])
def test_rows_that_their_id_cant_name_are_named_by_their_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: dict[str, Any]
) -> None:
    rows = rows_of("classify", 40)
    rows[20].update(spoil)
    path = jsonl(tmp_path, rows)
    _, held, notes = load_examples(path)
    monkeypatch.setattr(stored, "LARGE_ROWS", 7)
    _, large, large_notes = load_examples(path)
    assert isinstance(large, Stored)
    assert tuple(large) == held
    assert large_notes == notes
    assert any("isn't used to name rows" in note for note in notes)
    assert [row.id for row in large[:3]] == ["1", "2", "3"]
    assert large[20].extra["id"] == spoil["id"]


def test_long_rows_are_stored_though_they_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "LARGE_LETTERS", 100)
    rows = [Example(id=str(place), given={"text": "x" * 30}, expected="a") for place in range(5)]
    assert isinstance(kept(iter(rows[:3]), "classify"), tuple)
    found = kept(iter(rows), "classify")
    assert isinstance(found, Stored)
    assert list(found) == rows


def test_parts_are_places_and_chains_read_through() -> None:
    rows = tuple(Example(id=str(place), given={"text": f"t {place}"}, expected="a") for place in range(20))
    whole = stored.stored(iter(rows), "classify")
    assert tuple(whole[3:15:4]) == rows[3:15:4]
    assert tuple(whole.take(np.array([7, 2, 2]))) == (rows[7], rows[2], rows[2])
    assert whole[-1] == rows[-1]
    assert whole[5:][2] == rows[7]
    chain = chained([whole[:4], (), rows[4:9], whole[9:]])
    assert len(chain) == 20
    assert tuple(chain) == rows
    assert (chain[0], chain[6], chain[-1]) == (rows[0], rows[6], rows[-1])
    assert tuple(chain[2:18:3]) == rows[2:18:3]
    assert tuple(chain[::-1]) == rows[::-1]
    with pytest.raises(IndexError):
        whole[20]
    with pytest.raises(IndexError):
        chain[20]
    assert tuple(joined([keyed(whole[:4], "classify"), keyed(rows[4:], "classify")]).rows) == rows


def test_numbers_and_twins() -> None:
    names = np.array([b"b\0", b"a", b"b", b"c", b"a"], "S4")
    assert numbered(names).of.tolist() == [0, 1, 0, 2, 1]
    assert numbered(names).first.tolist() == [0, 1, 3]
    assert twins(names, np.array([b"c", b"a", b"a"], "S4")).tolist() == [-1, 1, -1, 0, 1]
    assert twins(names, names[:0]).tolist() == [-1] * 5


def test_the_file_is_gone_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "FOLDER", tmp_path / "rows")
    rows = [Example(id="1", given={"text": "t"}, expected="a")]
    found = stored.stored(iter(rows), "classify")
    assert list((tmp_path / "rows").iterdir()) == []
    assert list(found) == rows
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(stored, "FOLDER", tmp_path / "file/rows")  # where there is no cache, any place serves
    assert list(stored.stored(iter(rows), "classify")) == rows


def test_more_rows_take_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "LARGE_ROWS", 200)

    def peak(rows: int) -> int:
        path = tmp_path / f"{rows}.jsonl"
        with path.open("w") as stream:
            for place in range(rows):
                stream.write(json.dumps({"id": f"r{place}", "text": f"some text {place} " * 20, "label": "ab"[place % 2]}) + "\n")
        tracemalloc.start()
        try:
            loaded = load_splits(path, rule=SplitRule(most_test=100, most_validation=100))
            assert len(list(itertools.islice(loaded.splits.train, 10))) == 10
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(2000), peak(8000)
    assert (many - few) / 6000 < 250  # bytes a row: keys and places; a row that is held takes 1,500
