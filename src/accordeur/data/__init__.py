"""From files to frozen splits: reading, recognising the shape, splitting without leaks, and saying what was found."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from accordeur.data.examples import build_examples
from accordeur.data.journal import Journal, shown
from accordeur.data.leaks import DataSummary, summarise
from accordeur.data.read import Rows, is_raw_text, read_rows
from accordeur.data.row import Row
from accordeur.data.shape import Shape, recognise
from accordeur.data.split import SplitRule, Splits, split
from accordeur.errors import DataError
from accordeur.example import Example

__all__ = [
    "DataSummary",
    "Loaded",
    "Reading",
    "Row",
    "Rows",
    "Shape",
    "SplitRule",
    "Splits",
    "load_examples",
    "load_splits",
    "read_rows",
    "recognise",
    "split",
    "summarise",
]


LONGEST_VALUE, MOST_VALUES = 60, 20  # letters of a value, and values, that a message may need


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How files are read: canonical name to column, the separator of tables (None: detected), and how many rows may be bad.

    `where`: column to value; only the rows that have all of these values are read.
    """

    mapping: Mapping[str, str] | None = None
    separator: str | None = None
    skip_bad: int = 0
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What the data turned out to be: its shape, its parts, the facts about them, and every note worth showing."""

    shape: Shape
    splits: Splits
    summary: DataSummary
    notes: tuple[str, ...]


def load_examples(
    path: Path, *, reading: Reading | None = None, shape: Shape | None = None
) -> tuple[Shape, Sequence[Example], tuple[str, ...]]:
    """(shape, examples, notes) of one file or folder; `shape` reads it as another file was read.

    Raises DataError with every problem found.
    """
    how = reading or Reading()
    journal = Journal(skip_bad=how.skip_bad)
    rows = chosen_rows(read_rows(path, separator=how.separator, journal=journal), how.where, path)
    first = next(rows)
    found = shape or recognise(first.values, how.mapping, where=str(path))
    examples = build_examples(itertools.chain([first], rows), found, journal)
    journal.check()
    if not examples:
        raise DataError("0 good rows", where=str(path))
    return found, examples, tuple(journal.notes)


def chosen_rows(rows: Iterable[Row], where: Mapping[str, str], path: Path) -> Iterator[Row]:
    """The rows that have the given values. Raises DataError, naming what stands there, where none has."""
    found = 0
    seen: dict[str, set[str]] = {column: set() for column in where}
    for row in rows:
        values = {column: str(row.values.get(column, "")) for column in where}
        for column, value in values.items():
            if len(seen[column]) < MOST_VALUES:
                seen[column].add(value[:LONGEST_VALUE])
        if values == dict(where):
            found += 1
            yield row
    if where and not found:
        known = "; ".join(f"{column} is {shown(sorted(values), 8)}" for column, values in seen.items())
        raise DataError(
            f"no row has {shown((f'{column}={value}' for column, value in where.items()), 8)}; {known}", where=str(path)
        )


def load_splits(
    data: Path,
    *,
    test: Path | None = None,
    validation: Path | None = None,
    reading: Reading | None = None,
    rule: SplitRule | None = None,
) -> Loaded:
    """Reads `data`, and `test` and `validation` where they are given, and divides what must still be divided.

    Everything is checked before it is returned: the same input gives the same parts. Raises DataError.
    """
    shape, examples, notes = load_examples(data, reading=reading)
    given: dict[str, Sequence[Example]] = {}
    for part, path in (("test", test), ("validation", validation)):
        if path is not None:
            _, given[part], more = load_examples(path, reading=reading, shape=shape)
            notes += tuple(note for note in more if note not in notes)
    chosen = replace(rule or SplitRule(), contiguous=(rule or SplitRule()).contiguous or is_raw_text(data))
    splits = split(examples, kind=shape.kind, rule=chosen, test=given.get("test"), validation=given.get("validation"))
    summary = summarise(splits, shape.kind)
    return Loaded(shape=shape, splits=splits, summary=summary, notes=(*notes, *splits.notes, *summary.notes))
