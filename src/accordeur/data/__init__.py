"""From files to frozen splits: reading, recognising the shape, splitting without leaks, and saying what was found."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from accordeur.data.examples import build_examples
from accordeur.data.journal import Journal
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


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How files are read: canonical name to column, the separator of tables (None: detected), and how many rows may be bad."""

    mapping: Mapping[str, str] | None = None
    separator: str | None = None
    skip_bad: int = 0


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What the data turned out to be: its shape, its parts, the facts about them, and every note worth showing."""

    shape: Shape
    splits: Splits
    summary: DataSummary
    notes: tuple[str, ...]


def load_examples(
    path: Path, *, reading: Reading | None = None, shape: Shape | None = None
) -> tuple[Shape, tuple[Example, ...], tuple[str, ...]]:
    """(shape, examples, notes) of one file or folder; `shape` reads it as another file was read.

    Raises DataError with every problem found.
    """
    how = reading or Reading()
    journal = Journal(skip_bad=how.skip_bad)
    rows = iter(read_rows(path, separator=how.separator, journal=journal))
    first = next(rows)
    found = shape or recognise(first.values, how.mapping, where=str(path))
    examples = build_examples(itertools.chain([first], rows), found, journal)
    journal.check()
    if not examples:
        raise DataError("0 good rows", where=str(path))
    return found, examples, tuple(journal.notes)


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
    given: dict[str, tuple[Example, ...]] = {}
    for part, path in (("test", test), ("validation", validation)):
        if path is not None:
            _, given[part], more = load_examples(path, reading=reading, shape=shape)
            notes += tuple(note for note in more if note not in notes)
    chosen = replace(rule or SplitRule(), contiguous=(rule or SplitRule()).contiguous or is_raw_text(data))
    splits = split(examples, kind=shape.kind, rule=chosen, test=given.get("test"), validation=given.get("validation"))
    summary = summarise(splits, shape.kind)
    return Loaded(shape=shape, splits=splits, summary=summary, notes=(*notes, *splits.notes, *summary.notes))
