"""Rows of a file of any known format, or of a folder of texts, in one pass and flat memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from accordeur.data import csv, jsonl, parquet, text
from accordeur.data.journal import Journal, shown
from accordeur.data.row import Row
from accordeur.data.sniff import Format, format_of, require_regular, suffix_format
from accordeur.errors import DataError


class Rows:
    """The rows of a path, read anew each time they are iterated; never held.

    With a journal of its own, an iteration ends in DataError where more than `skip_bad` rows are bad. A caller who lends
    a journal adds its own findings to it, and calls its `check()` when done.
    """

    def __init__(self, path: Path, *, separator: str | None = None, skip_bad: int = 0, journal: Journal | None = None) -> None:
        self.path = path
        self.separator = separator
        self.lent = journal
        self.skip_bad = skip_bad
        self.journal = journal or Journal(skip_bad=skip_bad)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth showing about the file, known once it is read."""
        return tuple(self.journal.notes)

    def __iter__(self) -> Iterator[Row]:
        self.journal = self.lent or Journal(skip_bad=self.skip_bad)
        found = False
        for row in _rows(self.path, self.separator, self.journal):
            found = True
            yield row
        if self.lent is None:
            self.journal.check()
        if not found:
            empty = "0 rows: the file is empty or holds only blank lines or a header"
            raise self.journal.fatal(str(self.path), 0, "0 good rows" if self.journal.count else empty)


def read_rows(path: Path, *, separator: str | None = None, skip_bad: int = 0, journal: Journal | None = None) -> Rows:
    """The rows of a .jsonl, .json, .csv, .tsv, .txt (each also .gz) or .parquet file, or of a folder of .txt files.

    Text stays text: no cell is turned into a number, a date or a missing value.
    Raises DataError while it is iterated, with every problem found, and at once for what isn't such a file.
    """
    return Rows(path, separator=separator, skip_bad=skip_bad, journal=journal)


def is_raw_text(path: Path) -> bool:
    """Whether a path is a plain text or a folder of them, whose passages follow one another."""
    found = suffix_format(path.name)
    return path.is_dir() or (found is not None and found.name == "text")


def _rows(path: Path, separator: str | None, journal: Journal) -> Iterator[Row]:
    if texts := texts_of(path, journal):
        for each in texts:
            require_regular(each)
            yield from text.rows(each, format_of(each), journal)
        return
    require_regular(path)
    yield from _file_rows(path, format_of(path, separator), separator, journal)


def _file_rows(path: Path, format: Format, separator: str | None, journal: Journal) -> Iterator[Row]:
    try:
        if format.name == "json":
            yield from jsonl.rows(path, format, journal)
        elif format.name == "csv":
            yield from csv.rows(path, format, journal, separator)
        elif format.name == "parquet":
            yield from parquet.rows(path, journal)
        else:
            yield from text.rows(path, format, journal)
    except PermissionError as fault:
        raise DataError("may not be read: no permission", where=str(path)) from fault


def texts_of(path: Path, journal: Journal) -> list[Path]:
    """The .txt files of a folder by name, or nothing; other files are left aside with a note."""
    try:
        entries = sorted(path.iterdir()) if path.is_dir() else []
    except (OSError, ValueError) as fault:
        raise DataError("the folder can't be listed", where=str(path)) from fault
    texts = [entry for entry in entries if (found := suffix_format(entry.name)) and found.name == "text"]
    others = [entry.name for entry in entries if entry not in texts and not entry.name.startswith(".")]
    if texts and others:
        journal.note(f"{path.name}: {len(texts)} texts read, other files left aside: {shown(others)}")
    return texts
