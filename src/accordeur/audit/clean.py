"""A cleaned copy of a file, in the same format and with the same columns; the original is never touched."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accordeur.audit.leakage import near_leaks
from accordeur.audit.subject import Subject
from accordeur.data.bonds import without
from accordeur.data.csv import detect, given
from accordeur.data.keyed import Keyed, numbered, taken, twins
from accordeur.data.leaks import conflicting, repeated
from accordeur.data.lines import MAX_LINE
from accordeur.data.sniff import Format, format_of
from accordeur.data.stored import Places
from accordeur.errors import RecipeError
from accordeur.example import Example
from accordeur.store import write_bytes

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A row that the copy lacks: why (bad, leaked, leaked-group, near-leak, conflict, duplicate), and because of which row."""

    row: str
    why: str
    because: str = ""


def removals(subject: Subject) -> dict[str, Change]:
    """The rows of the first part that a copy does without, by place. Near duplicates of its own rows and doubtful labels stay."""
    part = next(iter(subject.parts))
    mine = subject.keyed[part]
    found: dict[str, Change] = {}

    def leave_out(places: Places, why: str, others: Sequence[Example], because: Places) -> None:
        for row, twin in zip(taken(mine.rows, places), taken(others, because), strict=True):
            found.setdefault(row.place, Change(row=row.place, why=why, because=twin.place))

    for other in [name for name in subject.parts if name != part]:
        theirs = subject.parts[other]
        leaked = twins(mine.given, subject.keyed[other].given)
        leave_out(np.flatnonzero(leaked >= 0), "leaked", theirs, leaked[leaked >= 0])
        if subject.group:
            parted = without(mine, subject.keyed[other], group=subject.group)
            leave_out(parted.left_out, "leaked-group", theirs, parted.twins)
        sample = subject.sample
        near = np.array(near_leaks(sample, part, other), np.int64).reshape(-1, 2)
        for one, twin in zip(taken(sample.rows, near[:, 0]), taken(sample.rows, near[:, 1]), strict=True):
            found.setdefault(one.place, Change(row=one.place, why="near-leak", because=twin.place))
    if subject.kind in ("classify", "tag"):
        rows, firsts = conflicted(mine)
        leave_out(rows, "conflict", mine.rows, firsts)
    again, firsts = repeated(mine)
    leave_out(again, "duplicate", mine.rows, firsts)
    return found


def conflicted(part: Keyed) -> tuple[Places, Places]:
    """(the rows whose text stands with several labels, the first row of each one's text), as places."""
    several = {conflict.places[0] for conflict in conflicting(part)}
    texts = numbered(part.given)
    first = [place for place in texts.first.tolist() if part.rows[place].place in several]
    rows = np.flatnonzero(np.isin(texts.first[texts.of], first))
    return rows, texts.first[texts.of[rows]]


def clean(path: Path, out: Path, subject: Subject, separator: str | None = None) -> list[Change]:
    """Writes the copy and lists what it leaves out. Raises RecipeError where it can't be written, before anything is."""
    format = require_target(path, out, separator)
    part = next(iter(subject.parts))
    removed = removals(subject)
    kept = {row.line for row in subject.parts[part] if row.place not in removed}
    if not kept:
        raise RecipeError(f"nothing would be left of {path}", hint="look at the findings: are the right columns read?")
    if format.name == "parquet":
        write_bytes(out, parquet_copy(path, kept))
    else:
        whole = gzip.decompress(path.read_bytes()) if format.packed else path.read_bytes()
        copy = copied(whole, path, format, kept, separator)
        write_bytes(out, gzip.compress(copy, mtime=0) if format.packed else copy)
    mine = [problem for problem in subject.bad if problem.file == str(path)]
    bad = {problem.line: Change(row=f"{problem.file}:{problem.line}", why="bad", because=problem.message) for problem in mine}
    return [*bad.values(), *removed.values()]


def require_target(path: Path, out: Path, separator: str | None) -> Format:
    """The common format of both; refuses to write over anything, and formats that have no rows to leave out."""
    if out.exists():
        what = "is the file itself" if out.samefile(path) else "exists already"
        raise RecipeError(f"--fix {out} {what}", hint="give the name of a new file")
    if path.is_dir():
        raise RecipeError(f"{path} is a folder", hint="--fix cleans one file of rows")
    format = format_of(path, separator)
    if format.name == "text":
        hint = "--fix cleans .jsonl, .json, .csv, .tsv and .parquet"
        raise RecipeError(f"{path} is a plain text, which has no rows to leave out", hint=hint)
    if format_of(out, separator) != format:
        raise RecipeError(f"--fix {out} has another format than {path}", hint=f"give it the ending {''.join(path.suffixes[-2:])}")
    return format


def copied(whole: bytes, path: Path, format: Format, kept: Set[int], separator: str | None) -> bytes:
    """The kept rows of a text file, byte for byte."""
    if format.name == "csv":
        return csv_copy(whole, kept, given(separator, path) if separator else detect(whole[: 1 << 16]))
    if whole.removeprefix(BOM).lstrip()[:1] == b"[":
        return array_copy(whole.decode("utf-8-sig"), path, kept).encode()
    lines = whole.split(b"\n")
    return b"\n".join(line for number, line in enumerate(lines, start=1) if number in kept) + b"\n"


def csv_copy(whole: bytes, kept: Set[int], delimiter: str) -> bytes:
    """Header and kept records; a record starts at a line of `kept`, and may go over several."""
    lines = io.BytesIO(whole).readlines()
    result: list[bytes] = []
    for start, stop in spans(lines, delimiter):
        blank = not b"".join(lines[start - 1 : stop]).strip()
        if start in kept or (not result and not blank):
            result += lines[start - 1 : stop]
    return b"".join(result)


def spans(lines: list[bytes], delimiter: str) -> Iterator[tuple[int, int]]:
    """(first, last) line of each record, from 1."""
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader((line.decode("utf-8-sig", "replace") for line in lines), delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            next(reader)
        except StopIteration:
            return
        except csv.Error:
            pass
        yield start, reader.line_num


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


def parquet_copy(path: Path, kept: Set[int]) -> bytes:
    """The kept rows of a Parquet file, with its schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    target = io.BytesIO()
    pq.write_table(table.take(pa.array(sorted(line - 1 for line in kept))), target)
    return target.getvalue()


def counted(changes: list[Change]) -> Mapping[str, int]:
    """How many rows were left out for each reason."""
    return {why: sum(change.why == why for change in changes) for why in dict.fromkeys(change.why for change in changes)}
