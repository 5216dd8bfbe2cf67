"""Cleaned copies: the same format, the same bytes of the rows that stay, and a list of what was left out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from accordeur.audit import Subject
from accordeur.audit.clean import clean, counted, removals
from accordeur.audit.reading import collect
from accordeur.data import Reading
from accordeur.errors import RecipeError
from tests.audit.subjects import labelled

GOOD = '{"text": "où est  mon violon ?",  "label": "a"}'
OTHER = '{"text":"my bow lost its hair", "label":"b"}'


def read(path: Path, **more: object) -> Subject:
    found = collect(path, Reading())
    return Subject(kind=found.shape.kind, parts={"file": found.rows}, bad=found.bad, bad_rows=found.bad_rows, **more)  # type: ignore[arg-type]


def test_jsonl_rows_stay_byte_for_byte(tmp_path: Path) -> None:
    path, out = tmp_path / "rows.jsonl", tmp_path / "clean.jsonl"
    lines = [GOOD, "", OTHER, '{"text": "", "label": "a"}', GOOD.replace("où", "OÙ"), "{torn", OTHER]
    path.write_text("\n".join(lines), encoding="utf-8")
    before = path.read_bytes()
    changes = clean(path, out, read(path))
    assert out.read_text(encoding="utf-8") == f"{GOOD}\n{OTHER}\n"
    assert path.read_bytes() == before
    assert counted(changes) == {"bad": 2, "duplicate": 2}
    assert [(change.row.rpartition(":")[2], change.why) for change in changes] == [
        ("4", "bad"),
        ("6", "bad"),
        ("5", "duplicate"),
        ("7", "duplicate"),
    ]
    assert collect(out, Reading()).bad_rows == 0


def test_gzip_stays_gzip(tmp_path: Path) -> None:
    path, out = tmp_path / "rows.jsonl.gz", tmp_path / "clean.jsonl.gz"
    path.write_bytes(gzip.compress(f"{GOOD}\n{OTHER}\n{OTHER}\n".encode()))
    clean(path, out, read(path))
    assert gzip.decompress(out.read_bytes()).decode() == f"{GOOD}\n{OTHER}\n"


def test_csv_records_over_several_lines_stay_whole(tmp_path: Path) -> None:
    path, out = tmp_path / "rows.csv", tmp_path / "clean.csv"
    rows = ["text;label", '"two\nlines; one cell";a', "short;b", "short;b", "one;two;three", '"two\nlines; one cell";a', "last;a"]
    path.write_bytes("\r\n".join(rows).encode() + b"\r\n")
    changes = clean(path, out, read(path))
    assert out.read_bytes() == "\r\n".join([*rows[:3], rows[6]]).encode() + b"\r\n"
    assert counted(changes) == {"bad": 1, "duplicate": 2}


def test_json_arrays_keep_their_elements_as_written(tmp_path: Path) -> None:
    path, out = tmp_path / "rows.json", tmp_path / "clean.json"
    path.write_text(f"[\n {GOOD},\n {OTHER},\n\n {OTHER}\n]", encoding="utf-8")
    clean(path, out, read(path))
    assert out.read_text(encoding="utf-8") == f"[\n{GOOD},\n{OTHER}\n]\n"
    assert len(json.loads(out.read_text(encoding="utf-8"))) == 2


def test_an_array_on_one_line_is_refused(tmp_path: Path) -> None:
    path, out = tmp_path / "rows.json", tmp_path / "clean.json"
    path.write_text(f"[{GOOD}, {OTHER}]", encoding="utf-8")
    with pytest.raises(RecipeError, match="several rows on line 1"):
        clean(path, out, read(path))
    assert not out.exists()


def test_parquet_keeps_schema_and_types(tmp_path: Path) -> None:
    path, out = tmp_path / "rows.parquet", tmp_path / "clean.parquet"
    table = pa.table(
        {"text": ["one", "two", "one", "three"], "label": pa.array([1, 0, 1, 1], pa.int8()), "extra": [1.5, None, 2.0, 0.1]}
    )
    pq.write_table(table, path)
    clean(path, out, read(path))
    copy = pq.read_table(out)
    assert copy.schema == table.schema
    assert copy.to_pylist() == [row for place, row in enumerate(table.to_pylist()) if place != 2]


def test_what_leaks_and_what_conflicts_is_left_out_with_its_reason() -> None:
    texts = [
        "where is my violin",
        "how much is a new bow",
        "do you rent cellos",
        "my oboe has a crack",
        "open on sunday?",
        "thanks a lot",
    ]
    train = labelled([(text, "ab"[place % 2]) for place, text in enumerate(texts)] + [(texts[1], "a")], thread=list("abcdefg"))
    test = labelled(
        [(texts[0].upper(), "a"), ("something else", "b"), ("quite another thing", "a")], "test.jsonl", thread=list("xyd")
    )
    found = removals(Subject(kind="classify", parts={"train": train, "test": test}, group="thread"))
    reasons = {row.rpartition(":")[2]: change.why for row, change in found.items()}
    assert reasons == {"1": "leaked", "4": "leaked-group", "2": "conflict", "7": "conflict"}
    assert found["rows.jsonl:1"].because == "test.jsonl:1"


@pytest.mark.parametrize("name", ["rows.jsonl", "there.jsonl", "clean.csv", "clean.jsonl.gz", "clean.txt"])
def test_a_copy_never_replaces_anything_nor_changes_the_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{GOOD}\n{OTHER}\n", encoding="utf-8")
    (tmp_path / "there.jsonl").write_text("mine")
    with pytest.raises(RecipeError):
        clean(path, tmp_path / name, read(path))
    assert path.read_text(encoding="utf-8") == f"{GOOD}\n{OTHER}\n"
    assert (tmp_path / "there.jsonl").read_text() == "mine"


def test_a_link_to_the_original_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{GOOD}\n{OTHER}\n", encoding="utf-8")
    (tmp_path / "link.jsonl").symlink_to(path)
    with pytest.raises(RecipeError, match="is the file itself"):
        clean(path, tmp_path / "link.jsonl", read(path))
