"""The rows of a file that stay, as they are written: read and written one after the other, whatever the size of the file."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Set
from pathlib import Path
from typing import BinaryIO, cast

from accordeur.data.csv import detect, given
from accordeur.data.lines import MAX_LINE
from accordeur.data.sniff import Format
from accordeur.errors import RecipeError

BOM = b"\xef\xbb\xbf"
HEAD = 1 << 16  # bytes by which a file is recognised


def copy_rows(path: Path, target: BinaryIO, format: Format, kept: Set[int], separator: str | None) -> None:
    """Writes the kept rows, named by their lines. Only a JSON array is held as a whole."""
    if format.name == "parquet":
        parquet_copy(path, target, kept)
        return
    with opened(path, format) as source:
        head = source.read(HEAD)
    packed = gzip.GzipFile(fileobj=target, mode="wb", mtime=0, filename="") if format.packed else None
    with opened(path, format) as source:
        for piece in pieces(source, head, path, format, kept, separator):
            (packed or target).write(piece)
    if packed:
        packed.close()


def opened(path: Path, format: Format) -> BinaryIO:
    """The bytes of a file, unpacked."""
    return cast(BinaryIO, gzip.open(path) if format.packed else path.open("rb"))


def pieces(source: BinaryIO, head: bytes, path: Path, format: Format, kept: Set[int], separator: str | None) -> Iterator[bytes]:
    """What is written, one after the other."""
    if format.name == "csv":
        yield from csv_copy(source, kept, given(separator, path) if separator else detect(head))
    elif head.removeprefix(BOM).lstrip()[:1] == b"[":
        yield array_copy(source.read().decode("utf-8-sig"), path, kept).encode()
    else:
        yield from (line.removesuffix(b"\n") + b"\n" for number, line in enumerate(source, start=1) if number in kept)


def csv_copy(source: BinaryIO, kept: Set[int], delimiter: str) -> Iterator[bytes]:
    """Header and kept records; a record starts at a line of `kept`, and may go over several."""
    begun = False
    for start, record in records(source, delimiter):
        if start in kept or (not begun and record.strip()):
            begun = True
            yield record


def records(source: BinaryIO, delimiter: str) -> Iterator[tuple[int, bytes]]:
    """(first line from 1, bytes) of each record."""
    waiting: list[bytes] = []

    def read() -> Iterator[str]:
        for line in source:
            waiting.append(line)
            yield line.decode("utf-8-sig", "replace")

    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(read(), delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            next(reader)
        except StopIteration:
            return
        except csv.Error:
            pass
        yield start, b"".join(waiting)
        waiting.clear()


def array_copy(text: str, path: Path, kept: Set[int]) -> str:
    """The kept elements of a JSON array as they are written, one after the other."""
    decoder = json.JSONDecoder()
    at, line, last = text.index("[") + 1, 1 + text[: text.index("[")].count("\n"), 0
    result = []
    while True:
        start = skip(text, at)
        line += text.count("\n", at, start)
        if text[start] == "]":
            break
        _, at = decoder.raw_decode(text, start)
        if line == last:
            raise RecipeError(f"{path} has several rows on line {line}", hint="save it as JSON lines (.jsonl), one object a line")
        last = line
        if line in kept:
            result.append(text[start:at])
        line += text.count("\n", start, at)
    return "[\n" + ",\n".join(result) + "\n]\n"


def skip(text: str, at: int) -> int:
    """The next place that is neither space nor a comma."""
    while text[at] in " \t\r\n,":
        at += 1
    return at


def parquet_copy(path: Path, target: BinaryIO, kept: Set[int]) -> None:
    """The kept rows of a Parquet file, with its schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = pq.ParquetFile(path)
    line = 1
    with pq.ParquetWriter(target, source.schema_arrow) as writer:
        for batch in source.iter_batches():
            places = [place for place in range(batch.num_rows) if line + place in kept]
            writer.write_batch(batch.take(pa.array(places, pa.int64())))
            line += batch.num_rows
