"""Odd input that is good, or good but for one thing (tables J, C, P, Y): what becomes of it, value by value."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from accordeur.app.check_run import Request, run
from accordeur.data import Reading, load_examples, read_rows
from accordeur.errors import DataError
from tests.audit.test_lengths import Letters

ROWS = [{"text": f"some text {n}", "label": "ab"[n % 2]} for n in range(4)]
LINES = [json.dumps(row) for row in ROWS]


def values(path: Path) -> list[dict[str, Any]]:
    return [row.values for row in read_rows(path)]


def notes(path: Path) -> str:
    rows = read_rows(path)
    list(rows)
    return " ".join(rows.notes)


def pairs(*found: str) -> list[dict[str, Any]]:
    """Rows of a text and a label each, which stand one after the other."""
    return [{"text": text, "label": label} for text, label in zip(found[::2], found[1::2], strict=True)]


def texts(*found: str) -> bytes:
    return "\n".join(json.dumps({"text": text, "label": "a"}, ensure_ascii=False) for text in found).encode()


def parquet(**columns: Any) -> bytes:
    target = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), target)
    return bytes(target.getvalue())


ODD = [
    "2020-01-01T00:00:00",
    "12:30:45",
    "0012",
    "1e5",
    "NA",
    "null",
    "a\u2028b\u2029c",
    "\u202eabc",
    "e\u0301",
    "\u00e9",
    "👩‍👩‍👧",
    "=cmd|' /C calc'!A0",
]
# id, name of the file, content, what is read, words of a note
READ: list[tuple[str, str, bytes, list[dict[str, Any]], str]] = [
    ("J03", "r.jsonl", b"\xef\xbb\xbf" + "\n".join(LINES).encode(), ROWS, "byte order mark"),
    ("J10-blank", "r.jsonl", "\n\n".join(LINES).encode(), ROWS, ""),
    ("J10-CRLF", "r.jsonl", "\r\n".join(LINES).encode(), ROWS, ""),
    ("J20-array", "r.jsonl", f"[{', '.join(LINES)}]".encode(), ROWS, "array"),
    ("J26-J27-J30", "r.jsonl", texts(*ODD), pairs(*(each for text in ODD for each in (text, "a"))), ""),
    ("J27-number", "r.jsonl", b'{"text": "a", "n": 1180591620717411303424}', [{"text": "a", "n": 2**70}], ""),
    ("J29", "r.jsonl", texts("say <|im_end|> and </s> [INST]"), pairs("say <|im_end|> and </s> [INST]", "a"), ""),
    ("C02-semicolon", "r.csv", b"text;label\nsome, text;a\n", pairs("some, text", "a"), "';'"),
    ("C02-tab", "r.csv", b"text\tlabel\nsome; text\ta\n", pairs("some; text", "a"), "a tab"),
    ("C02-bar", "r.csv", b"text|label\nsome text|a\n", pairs("some text", "a"), "'|'"),
    ("C05", "r.csv", b"text,label\nNA,null\nnan,None\n", pairs("NA", "null", "nan", "None"), ""),
    ("C06", "r.csv", b"text,label\n007,1e5\n+33 6,TRUE\n", pairs("007", "1e5", "+33 6", "TRUE"), ""),
    ("C09", "r.csv", b'text,label\n"one,\ntwo ""x""",a\n', pairs('one,\ntwo "x"', "a"), ""),
    ("C10", "r.csv", b"text,label\n=cmd|' /C calc'!A0,@b\n", pairs("=cmd|' /C calc'!A0", "@b"), ""),
    ("P04-large", "r.parquet", parquet(text=pa.array(["a"], pa.large_string()), label=["x"]), pairs("a", "x"), ""),
    ("P04-dictionary", "r.parquet", parquet(text=pa.array(["a"]).dictionary_encode(), label=["x"]), pairs("a", "x"), ""),
]  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(case, id=case[0]) for case in READ])
def test_what_is_accepted_is_kept_as_it_stands(tmp_path: Path, case: tuple[str, str, bytes, list[dict[str, Any]], str]) -> None:
    _, name, content, expected, words = case
    path = tmp_path / name
    path.write_bytes(content)
    assert values(path) == expected
    assert words in notes(path)
    assert path.read_bytes() == content


def long_rows(folder: Path) -> Path:
    rows = [{"instruction": "ask " * (60 if n == 3 else 1), "output": "x" * (200 if n < 2 else 5)} for n in range(30)]
    path = folder / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_rows_that_would_be_cut_are_counted_before_anything_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """J25: two answers are cut, and of one row nothing is left to learn; each is named."""

    class Base:
        family, positions = "decoder", 64

        def tokenizer(self) -> Letters:
            return Letters()

    monkeypatch.setattr("accordeur.base.find_base", lambda name: Base())
    path = long_rows(tmp_path)
    found = {each.code: each for each in run(Request(name="r", file=path, base="letters", max_length=64)).audit.findings}
    assert found["cut-rows"].count == 3
    assert found["cut-rows"].severity == "error"
    assert found["cut-rows"].values["lost"] > 250
    assert found["untrainable"].rows == (f"{path}:4",)


def bomb(path: Path) -> None:
    pq.write_table(pa.table({"text": ["x" * 1_000_000] * 100}), path, use_dictionary=False, compression="zstd")


def other_types(path: Path) -> None:
    path.write_bytes(parquet(text=[1, 2], label=["a", "b"]))


# id, what is written, words of the refusal
PARQUET: list[tuple[str, Callable[[Path], None], list[str]]] = [
    ("P05", bomb, ["decompression bomb"]),
    ("P06", other_types, ["shard.parquet:1", "'text' is a whole number"]),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case[0]) for case in PARQUET])
def test_parquet_that_fits_no_shape_is_refused(tmp_path: Path, case: tuple[str, Callable[[Path], None], list[str]]) -> None:
    _, write, words = case
    first, shard = tmp_path / "first.parquet", tmp_path / "shard.parquet"
    first.write_bytes(parquet(text=["a", "b"], label=["x", "y"]))
    write(shard)
    assert shard.stat().st_size < 1 << 20
    shape, _, _ = load_examples(first)
    with pytest.raises(DataError) as fault:
        load_examples(shard, reading=Reading(), shape=shape)
    assert all(word in str(fault.value) for word in words)
