"""Small files for the tests of reading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from accordeur.data import load_examples, read_rows
from accordeur.errors import DataError


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return path


def jsonl(folder: Path, rows: list[dict[str, Any]], name: str = "rows.jsonl") -> Path:
    return write(folder, name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def values(path: Path, **options: Any) -> list[dict[str, Any]]:
    return [row.values for row in read_rows(path, **options)]


def refused(path: Path, **options: Any) -> str:
    """The message with which reading (or, where reading is fine, making examples) is refused."""
    with pytest.raises(DataError) as caught:
        list(read_rows(path, **options))
        load_examples(path)
    return str(caught.value)


def says(message: str, *words: str) -> None:
    for word in words:
        assert word in message, f"{word!r} not in: {message}"
