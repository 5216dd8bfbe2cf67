"""Rows of a table of texts: CSV, TSV or any other delimiter, which is detected where it isn't given."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from accordeur.data.journal import Journal, shown
from accordeur.data.lines import MAX_LINE, read_lines
from accordeur.data.row import Row
from accordeur.data.sniff import Format, require_text
from accordeur.errors import DataError

COMMON = ",;\t|"
NEVER = set("\"' _-.()[]{}/#@%&+*=?!<>\\`´’\r\n\0\ufeff")
NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|", "space": " "}
SAMPLE = 50
QUOTING = "quotes don't match: a cell that starts with a quote must end with one, and double those inside"


def rows(path: Path, format: Format, journal: Journal, separator: str | None = None) -> Iterator[Row]:
    """Yields the good rows, every cell a string exactly as written, and reports the others."""
    head = require_text(path, format)
    if head.lstrip()[:2] in (b'{"', b"[{"):
        raise journal.fatal(str(path), 0, "holds JSON; expected a table", "rename it to .jsonl")
    delimiter = given(separator, path) if separator is not None else detect(head)
    if separator is None and delimiter != ",":
        journal.note(f"{path.name}: columns are separated by {name_of(delimiter)}")
    records = Records(path, format, journal, delimiter)
    header: list[str] | None = None
    for line, cells in records:
        if header is None:
            header = columns_of(cells, path, line, journal)
        elif len(cells) == len(header):
            yield Row(str(path), line, dict(zip(header, cells, strict=True)))
        else:
            journal.problem(str(path), line, ragged(cells, header, delimiter))


def ragged(cells: list[str], header: list[str], delimiter: str) -> str:
    """What is wrong with a record of another width than the header, and why it may be so."""
    counts = f"the record has {len(cells)} cells, the header {len(header)}"
    return f"{counts}; a cell that holds {name_of(delimiter)} must be quoted (the first cell: {cells[0][:40]!r})"


def columns_of(cells: list[str], path: Path, line: int, journal: Journal) -> list[str]:
    """The header's names; one nameless column (a written index) is let through, two columns of one name are not."""
    names = [cell.strip() for cell in cells]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        message = f"the header names {shown(map(repr, twice))} more than once"
        raise journal.fatal(str(path), line, message, "name each column once")
    if "" in names:
        at = names.index("")
        journal.note(f"{path.name}: column {at + 1} has no name, carried along as 'column {at + 1}'")
        names[at] = f"column {at + 1}"
    return names


class Records:
    """The records of a table with the line where each starts; csv pulls the lines that it needs."""

    def __init__(self, path: Path, format: Format, journal: Journal, delimiter: str) -> None:
        self.path = path
        self.journal = journal
        self.lines = read_lines(path, journal, packed=format.packed)
        self.delimiter = delimiter
        self.number = 0
        self.spoilt = False

    def _texts(self) -> Iterator[str]:
        for line in self.lines:
            self.number = line.number
            self.spoilt = self.spoilt or line.bad
            yield line.text + line.end

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(MAX_LINE)
        reader = csv.reader(self._texts(), delimiter=self.delimiter, strict=True)
        while True:
            start, self.spoilt = self.number + 1, False
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as fault:
                self.journal.problem(str(self.path), start, self._explain(str(fault), start))
                continue
            if cells and not self.spoilt:
                yield start, cells

    def _explain(self, fault: str, start: int) -> str:
        if "end of data" in fault:
            return "a quote is opened in this record and never closed: the file ends inside it"
        if "field limit" in fault:
            return f"a cell is longer than {MAX_LINE >> 20} MB (is a quote never closed?)"
        if "new-line character" in fault:
            return "a line ends in CR only, or holds a bare CR outside quotes; expected LF or CRLF"
        noticed = f", noticed at line {self.number}" if self.number > start else ""
        return f"{QUOTING} ({fault}{noticed})"


def given(separator: str, path: Path) -> str:
    """The delimiter that was asked for, by itself or by name."""
    found = NAMES.get(separator, separator)
    if len(found) != 1 or found in '"\r\n\0':
        expected = "expected one character, or tab, comma, semicolon, pipe"
        raise DataError(f"the separator {separator!r} can't be used; {expected}", where=str(path))
    return found


def name_of(delimiter: str) -> str:
    """A delimiter as people say it."""
    return "a tab" if delimiter == "\t" else repr(delimiter)


def detect(head: bytes) -> str:
    """The delimiter under which the most of the first records have as many cells as the header; ',' where none fits.

    Any character of the first line that isn't a letter, a digit or usual in names may be one; the common ones win ties.
    """
    text = head.decode("utf-8", "replace").removeprefix("\ufeff").lstrip("\r\n")
    lines = text.splitlines(keepends=True)[: SAMPLE * 4]
    if not lines:
        return ","
    others = sorted({char for char in lines[0] if not char.isalnum() and char not in NEVER})
    candidates = list(dict.fromkeys([*COMMON, *others]))
    best = max(candidates, key=lambda char: (fit(lines, char), -candidates.index(char)))
    return best if fit(lines, best) > 0 else ","


def fit(lines: list[str], delimiter: str) -> float:
    """The share of the first records that have as many cells as the header, 0 where the header has one cell."""
    reader = csv.reader(lines, delimiter=delimiter)
    records: list[list[str]] = []
    try:
        for record in reader:
            records.append(record)
            if len(records) > SAMPLE:
                break
    except csv.Error:
        pass
    widths = [len(record) for record in records if record]
    if not widths or widths[0] < 2:
        return 0.0
    return sum(width == widths[0] for width in widths) / len(widths)
