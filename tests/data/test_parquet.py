from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from accordeur.data import load_examples
from tests.data.files import refused, says, values, write

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def table(folder: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), folder / "rows.parquet", **options)
    return folder / "rows.parquet"


GOOD = {"text": [f"text number {n}" for n in range(3000)], "label": [n % 2 for n in range(3000)]}


def test_plain_columns_are_kept_exactly(tmp_path: Path) -> None:
    columns = {
        "text": ["007", "NA", "é\u2028"],
        "large": pa.array(["a", "b", "c"], pa.large_string()),
        "category": pa.array(["x", "y", "x"]).dictionary_encode(),
        "truth": [True, False, True],
        "whole": [1, 2, 2**62],
        "tokens": [["a", "b"], [], ["c"]],
        "turns": [[{"role": "user", "content": "hi"}]] * 3,
    }
    found = values(table(tmp_path, columns))
    assert [row["text"] for row in found] == columns["text"]
    assert found[2] == {
        "text": "é\u2028", "large": "c", "category": "x", "truth": True, "whole": 2**62, "tokens": ["c"],
        "turns": [{"role": "user", "content": "hi"}],
    }  # fmt: skip


def test_rows_of_all_batches_in_order(tmp_path: Path) -> None:
    shape, examples, _ = load_examples(table(tmp_path, GOOD, row_group_size=700))
    assert shape.kind == "classify"
    assert [example.given["text"] for example in examples] == GOOD["text"]
    assert examples[2999].line == 3000
    assert {example.expected for example in examples} == {"0", "1"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PAR1", "damaged"),
        (b"PAR1" + b"\0" * 100 + b"PAR1", "damaged"),
        (b"text,label\na,b\n", "expected a Parquet file"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"", "0 rows"),
    ],
    ids=["P01-magic", "P01-hollow", "P01-csv", "P01-gzip", "P01-empty"],
)
def test_other_content_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    says(refused(write(tmp_path, "rows.parquet", content)), "rows.parquet", words)


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD)
    path.write_bytes(path.read_bytes()[:-200])
    says(refused(path), "damaged or cut short")


def test_bit_flip_in_a_page_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, GOOD, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[2000] ^= 0x10
    path.write_bytes(content)
    says(refused(path), "damaged or cut short")


def test_empty_table_is_refused(tmp_path: Path) -> None:
    says(refused(table(tmp_path, {"text": pa.array([], pa.string())})), "0 rows")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    made = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    pq.write_table(made, tmp_path / "rows.parquet")
    says(refused(tmp_path / "rows.parquet"), "two columns", "'text'")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([b"a"]),
        pa.array([datetime.datetime(2020, 1, 1)]),
        pa.array([Decimal("1.5")]),
        pa.array([[b"a"]]),
        pa.array([{"a": datetime.date(2020, 1, 1)}]),
    ],
    ids=lambda column: str(column.type),
)
def test_other_types_are_refused_by_name(tmp_path: Path, column: Any) -> None:
    says(
        refused(table(tmp_path, {"text": column, "label": ["a"]})), "column 'text'", str(column.type).split("[")[0].split("<")[0]
    )


def test_nulls_and_nul_are_refused_with_the_row(tmp_path: Path) -> None:
    says(refused(table(tmp_path, {"text": ["a", None], "label": ["x", "y"]})), ":2:", "null")
    says(refused(table(tmp_path, {"text": ["a", "b\0"], "label": ["x", "y"]})), ":2:", "NUL")


def test_bombs_are_refused(tmp_path: Path) -> None:
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["x" * 1_000_000]))
    says(refused(table(tmp_path, {"text": repeated})), "decompression bomb")
    says(
        refused(table(tmp_path, {"text": ["x" * 1_000_000] * 100}, use_dictionary=False, compression="zstd")),
        "decompression bomb",
    )


def test_shards_of_different_types_are_refused(tmp_path: Path) -> None:
    shape, _, _ = load_examples(table(tmp_path, {"text": ["a"], "label": ["x"]}))
    other = tmp_path / "other"
    other.mkdir()
    from accordeur.errors import DataError

    with pytest.raises(DataError, match=r"other/rows\.parquet:1: 'text' is a whole number"):
        load_examples(table(other, {"text": [1], "label": ["x"]}), shape=shape)
