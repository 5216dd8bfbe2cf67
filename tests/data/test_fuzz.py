"""What is written is read back exactly or refused; no bytes bring anything but rows or a DataError."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accordeur.data import load_examples, load_splits, read_rows
from accordeur.errors import DataError

NAMES = ["rows.jsonl", "rows.json", "rows.csv", "rows.tsv", "rows.txt", "rows.parquet", "rows.jsonl.gz"]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
FRAGMENTS = st.sampled_from(
    [b'{"text": "', b'"}', b"\n", b'"', b",", b";", b"[", b"]", b"{", b"\r\n", b"\\u0000", b"\\ud800", b"text,label\n",
     b"\xff\xfe", b"\xef\xbb\xbf", b"\x1f\x8b", b"PAR1", b"NaN", b"\0", b"\xe9",
     b'{"text": "a", "label": "b"}\n', b'{"messages": [{"role": "user", "content": "a"}]}\n']
)  # fmt: skip
BYTES = st.binary(max_size=200) | st.lists(FRAGMENTS | st.binary(max_size=6), max_size=12).map(b"".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def stored(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(VALUE, TEXT), min_size=1, max_size=5), st.booleans(), st.booleans())
def test_json_is_read_back_exactly(folder: Path, cells: list[tuple[Any, str]], ascii: bool, array: bool) -> None:
    rows = [{"a": value, "b": text} for value, text in cells]
    lines = [json.dumps(row, ensure_ascii=ascii) for row in rows]
    content = "[" + ",\n".join(lines) + "]" if array else "\n".join(lines)
    assert [row.values for row in read_rows(stored(folder, "rows.jsonl", content.encode()))] == rows


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
@example([("\x85", "\u2028")], ",", csv.QUOTE_MINIMAL)
def test_tables_are_read_back_exactly(folder: Path, cells: list[tuple[str, str]], delimiter: str, quoting: Any) -> None:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, quoting=quoting).writerows([("text", "label"), *cells])
    path = stored(folder, "rows.csv", stream.getvalue().encode())
    found = [row.values for row in read_rows(path)]
    assert found == [{"text": text, "label": label} for text, label in cells]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), BYTES)
def test_any_bytes_are_rows_or_a_refusal(folder: Path, name: str, content: bytes) -> None:
    path = stored(folder, name, gzip.compress(content) if name.endswith(".gz") else content)
    try:
        load_examples(path)
        load_splits(path)
    except DataError as refusal:
        assert "rows" in str(refusal)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_parquet_is_rows_or_a_refusal(folder: Path, data: st.DataObject) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    pa = pytest.importorskip("pyarrow")
    path = stored(folder, "rows.parquet", b"")
    pq.write_table(pa.table({"text": [f"t{n}" for n in range(50)], "label": ["a", "b"] * 25}), path)
    content = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        list(read_rows(path))
    except DataError as refusal:
        assert "rows.parquet" in str(refusal)
