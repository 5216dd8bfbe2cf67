from __future__ import annotations

import gzip
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from accordeur.data import load_examples, load_splits, read_rows
from accordeur.data.lines import Line
from accordeur.data.text import TARGET, passages
from tests.data.files import refused, says, write

PARAGRAPH = "A sentence of this text, which goes on for a while. " * 12


def test_passages_end_between_paragraphs(tmp_path: Path) -> None:
    path = write(tmp_path, "book.txt", "\n\n".join(f"{n} {PARAGRAPH}".strip() for n in range(30)))
    rows = list(read_rows(path))
    assert all(TARGET <= len(row.values["text"]) <= 2.2 * TARGET for row in rows[:-1])
    assert rows[0].values["text"].count("\n\n") == 2
    assert [row.line for row in rows[:3]] == [1, 7, 13]
    assert [row.values["id"] for row in rows[:2]] == ["book.txt#1", "book.txt#2"]


@given(st.lists(st.text(alphabet="ab .", max_size=9000), max_size=8))
def test_nothing_is_lost_and_no_passage_is_huge(texts: list[str]) -> None:
    lines = [Line(number, text, "\n", False) for number, text in enumerate(texts, start=1)]
    found = [passage for _, passage in passages(lines)]
    assert "".join("".join(found).split()) == "".join("".join(texts).split())
    assert all(len(passage) <= 3 * TARGET for passage in found)


def test_one_endless_line_is_cut_after_sentences(tmp_path: Path) -> None:
    rows = list(read_rows(write(tmp_path, "book.txt", PARAGRAPH * 30)))
    assert len(rows) > 5
    assert all(row.values["text"].strip().endswith(".") and row.line == 1 for row in rows)


def test_folder_of_texts(tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "second")
    write(tmp_path, "a.txt.gz", gzip.compress(b"first"))
    write(tmp_path, "README.md", "about")
    rows = read_rows(tmp_path)
    assert [row.values["text"] for row in rows] == ["first", "second"]
    says(" ".join(rows.notes), "README.md")


def test_bad_texts_are_refused(tmp_path: Path) -> None:
    says(refused(write(tmp_path, "a.txt", "é".encode() + b"\n\xe9t\xe9\n")), ":2:", "cp1252")
    says(refused(write(tmp_path, "b.txt", "\n \n")), "0 rows")
    says(refused(write(tmp_path, "c.txt", "a\rb\r")), "CR only")
    says(refused(write(tmp_path, "d.txt", "word".encode("utf-16"))), "UTF-16")


def test_the_end_of_a_text_is_its_test(tmp_path: Path) -> None:
    path = write(tmp_path, "book.txt", "\n\n".join(f"{n} {PARAGRAPH}" for n in range(120)))
    loaded = load_splits(path)
    assert loaded.shape.kind == "text"
    parts = loaded.splits
    assert max(row.line for row in parts.train) < min(row.line for row in parts.validation)
    assert max(row.line for row in parts.validation) < min(row.line for row in parts.test)
    assert loaded.summary.rows == {"train": 26, "validation": 6, "test": 8}


def test_a_passage_is_never_on_two_sides(tmp_path: Path) -> None:
    same = "The same words again. " * 80
    path = write(tmp_path, "book.txt", "\n\n".join(same if n % 5 == 0 else f"{n} {PARAGRAPH * 3}" for n in range(60)))
    loaded = load_splits(path)
    assert all(pairs.count == 0 for pairs in loaded.summary.across.values())
    assert loaded.summary.dropped.count > 0
    says(" ".join(loaded.notes), "left out")


def test_raw_rows_of_a_table_are_drawn(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.jsonl", "".join(f'{{"text": "row {n}"}}\n' for n in range(40)))
    _, examples, _ = load_examples(path)
    assert examples[3].expected == "row 3" and examples[3].given == {}
    assert max(row.line for row in load_splits(path).splits.train) > 32
