from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from accordeur.data import load_examples, read_rows
from tests.data.files import refused, says, values, write

REFUSED = [
    ("C01-ragged-more", "text,label\na,b\nc,d,e\n", [":3:", "3 cells", "header 2"]),
    ("C01-ragged-less", "text,label\na\nc,d\n", [":2:", "1 cells"]),
    ("C01-unclosed", 'text,label\n"a,b\nc,d\n', [":2:", "never closed"]),
    ("C01-junk-after-quote", 'text,label\n"a"b,c\nd,e\n', [":2:", "quotes don't match"]),
    ("C03-no-header", "great film,pos\nbad film,neg\n", ["'great film', 'pos'", "lacks a header"]),
    ("C04-duplicate-header", "text,label,text\na,b,c\n", [":1:", "'text'", "more than once"]),
    ("C05-empty-text", "text,label\na,b\n,c\n", [":3:", "'text'", "empty"]),
    ("C05-empty-label", "text,label\na,b\nc,\n", [":3:", "'label'", "empty"]),
    ("C07-latin1", "text,label\ncaf\xe9,a\n".encode("latin-1"), [":2:", "byte 4 ", "cp1252"]),
    ("C07-utf16", "text,label\na,b\n".encode("utf-16"), ["UTF-16", "iconv"]),
    ("C07-mixed", "text,label\né,a\n".encode() + b"\xe9,a\n", [":3:"]),
    ("C08-header-only", "text,label\n", ["0 rows"]),
    ("C08-zero-byte", b"", ["0 rows"]),
    ("C09-long-cell", "text,label\n" + "x" * (9 << 20) + ",a\n", [":2:", "8 MB"]),
    ("C11-stray-number", "text,label\na,pos\nb,neg\nc,0\n", ["mixes words", "numbers", "'pos' 1", "'0' in line 4"]),
    ("C11-space", "text,label\na,pos\nb,pos \n", [":3:", "'pos '"]),
    ("nul", b"text,label\na\0,b\n", [":2:", "NUL"]),
    ("cr-only", "text,label\ra,b\rc,d\r", ["CR only"]),
    ("cr-inside", "text,label\na,b\rc,d\ne,f\n", [":2:", "CR"]),
    ("json", '{"text": "a"}\n', ["holds JSON", ".jsonl"]),
    ("html", "<html><body>", ["HTML"]),
]


@pytest.mark.parametrize(("content", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_bad_table_is_refused_with_line_and_reason(tmp_path: Path, content: bytes | str, words: list[str]) -> None:
    says(refused(write(tmp_path, "rows.csv", content)), "rows.csv", *words)


@pytest.mark.parametrize(
    ("delimiter", "said"),
    [(";", "';'"), ("\t", "a tab"), ("|", "'|'"), (":", "':'"), ("^", "'^'"), ("~", "'~'"), ("\x1f", "'\\x1f'")],
    ids=repr,
)
def test_delimiter_is_detected_and_said(tmp_path: Path, delimiter: str, said: str) -> None:
    lines = ["text,label", "one, two,pos", "three,neg"]
    path = write(tmp_path, "rows.csv", "\n".join(delimiter.join(line.rsplit(",", 1)) for line in lines))
    rows = read_rows(path)
    assert [row.values for row in rows] == [{"text": "one, two", "label": "pos"}, {"text": "three", "label": "neg"}]
    says(" ".join(rows.notes), "separated by", said)


def test_given_separator_wins(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.csv", "text;a,label\nx;y,z\n")
    assert values(path, separator=",") == [{"text;a": "x;y", "label": "z"}]
    assert values(path, separator="semicolon") == [{"text": "x", "a,label": "y,z"}]
    assert values(write(tmp_path, "rows.data", "text\tlabel\na\tb\n"), separator="tab") == [{"text": "a", "label": "b"}]
    says(refused(path, separator="||"), "'||'", "one character")


@pytest.mark.parametrize(
    "cell", ["NA", "null", "None", "nan", "007", "1e5", "+33 6", "TRUE", "2020-01-01", " a ", "=cmd|x", "a\u2028b"]
)
def test_cells_stay_strings(tmp_path: Path, cell: str) -> None:
    path = write(tmp_path, "rows.csv", f"text,label\n{cell},x\n")
    assert values(path) == [{"text": cell, "label": "x"}]


def test_quoted_newlines_commas_and_quotes(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.csv", 'text,label\r\n"a, ""b""\r\nc",x\r\n\r\n' + '"' + "y" * 1_000_000 + '",z\r\n')
    rows = list(read_rows(path))
    assert rows[0].values == {"text": 'a, "b"\r\nc', "label": "x"}
    assert len(rows[1].values["text"]) == 1_000_000
    assert [row.line for row in rows] == [2, 5]


def test_byte_order_mark_and_gzip(tmp_path: Path) -> None:
    content = "\ufefftext,label\na,b\n".encode()
    assert values(write(tmp_path, "a.csv", content)) == [{"text": "a", "label": "b"}]
    assert values(write(tmp_path, "a.tsv.gz", gzip.compress(content.replace(b",", b"\t")))) == [{"text": "a", "label": "b"}]


def test_nameless_index_column_is_carried_along(tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path, "a.csv", ",text,label\n0,a,b\n"))
    assert [row.values for row in rows] == [{"column 1": "0", "text": "a", "label": "b"}]
    says(" ".join(rows.notes), "column 1")


def test_one_column_is_raw_text(tmp_path: Path) -> None:
    shape, examples, _ = load_examples(write(tmp_path, "a.csv", "text\nhello\nthere\n"))
    assert shape.kind == "text"
    assert [example.expected for example in examples] == ["hello", "there"]


def test_bad_rows_within_the_budget_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", b'text,label\na,b\nc,d,e\n"x"y,b\n\xe9,b\nf,g\n')
    assert [row.line for row in read_rows(path, skip_bad=3)] == [2, 6]
    says(refused(path), "3 bad rows", ":3:", ":4:", ":5:")
