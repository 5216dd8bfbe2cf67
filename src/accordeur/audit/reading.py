"""Reads a file for the audit: bad rows are collected instead of ending it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from accordeur.data import Reading, Shape, read_rows, recognise
from accordeur.data.examples import build_examples
from accordeur.data.journal import Journal
from accordeur.errors import DataError, Problem
from accordeur.example import Example

ANY_NUMBER = 1 << 60


@dataclass(frozen=True, kw_only=True)
class Collected:
    """What a file holds: its shape, its good rows, the first of its bad rows and how many there are, and notes."""

    shape: Shape
    rows: Sequence[Example]
    bad: tuple[Problem, ...]
    bad_rows: int
    notes: tuple[str, ...]


def collect(path: Path, reading: Reading, shape: Shape | None = None) -> Collected:
    """Reads what can be read. Raises DataError for a file that can't be used as a whole, or where no row is good."""
    journal = Journal(skip_bad=ANY_NUMBER)
    rows = iter(read_rows(path, separator=reading.separator, journal=journal))
    head = next(rows)
    found = shape or recognise(head.values, reading.mapping, where=str(path))
    examples = build_examples(itertools.chain([head], rows), found, journal)
    journal.check()
    if not examples:
        raise DataError("0 good rows", where=str(path), problems=journal.problems)
    notes = tuple(note for note in journal.notes if "bad rows left out" not in note)
    return Collected(shape=found, rows=examples, bad=tuple(journal.problems), bad_rows=journal.bad_rows, notes=notes)
