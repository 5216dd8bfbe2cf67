"""Cheap, exact facts about the parts of the data, known before anything is trained: sizes, duplicates, conflicts, leaks."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from accordeur.data.keyed import Keyed, expected_of, joined, keyed, numbered, taken, twins
from accordeur.data.split import Splits, is_classes
from accordeur.data.stored import Places
from accordeur.example import Example, flatten

MOST_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """How many rows repeat another, and the first of the pairs as (file:line, file:line)."""

    count: int
    shown: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """One text with several labels: the labels with their rows, and up to three places."""

    labels: dict[str, int]
    places: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DataSummary:
    """What is in the parts. `classes`: rows by label and part, empty where the expected is no class.

    `within`: rows that repeat an earlier row of their own part. `across`: rows left in a part whose text another part has
    too. `dropped`: rows that were left out because another part has their text. `conflicts`: texts with several labels.
    """

    kind: str
    rows: dict[str, int]
    classes: dict[str, dict[str, int]]
    within: dict[str, Pairs]
    across: dict[str, Pairs]
    dropped: Pairs
    conflicts: tuple[Conflict, ...]
    conflict_count: int
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return dataclasses.asdict(self)


def summarise(splits: Splits, kind: str) -> DataSummary:
    """Counts the parts of some splits and compares their rows exactly (case, white space and composition aside)."""
    rows = splits.parts()
    parts = {part: keyed(found, kind) for part, found in rows.items()}
    everything = joined([*parts.values(), *(keyed(found.rows, kind) for found in splits.left_out)])
    conflicts = conflicting(everything) if kind in ("classify", "tag") else []
    summary = DataSummary(
        kind=kind,
        rows={part: len(found) for part, found in rows.items()},
        classes=class_counts(rows) if is_classes(kind, splits.train) else {},
        within={part: repeats(found) for part, found in parts.items()},
        across={f"{part} in {other}": common(parts[part], parts[other]) for part, other in SIDES},
        dropped=pairs_of(sum(len(found.rows) for found in splits.left_out), splits.dropped),
        conflicts=tuple(conflicts[:MOST_SHOWN]),
        conflict_count=len(conflicts),
    )
    return dataclasses.replace(summary, notes=tuple(notes_of(summary)))


SIDES = (("train", "test"), ("train", "validation"), ("validation", "test"))


def class_counts(parts: Mapping[str, Sequence[Example]]) -> dict[str, dict[str, int]]:
    """Rows of each label in each part; labels in the order of the alphabet."""
    counts = {part: Counter(map(str, expected_of(rows))) for part, rows in parts.items()}
    labels = sorted({label for found in counts.values() for label in found})
    return {label: {part: counts[part][label] for part in parts} for label in labels}


def repeated(part: Keyed) -> tuple[Places, Places]:
    """(rows that repeat an earlier row of their part, the first row that each repeats), as places."""
    found = numbered(part.row)
    firsts = found.first[found.of]
    again = np.flatnonzero(firsts != np.arange(len(part)))
    return again, firsts[again]


def repeats(part: Keyed) -> Pairs:
    """(row, the first row it repeats) inside one part."""
    return shown_pairs(part.rows, part.rows, *repeated(part))


def common(part: Keyed, other: Keyed) -> Pairs:
    """(row, row of the other part with the same text)."""
    found = twins(part.given, other.given)
    mine = np.flatnonzero(found >= 0)
    return shown_pairs(part.rows, other.rows, mine, found[mine])


def shown_pairs(rows: Sequence[Example], others: Sequence[Example], mine: Places, theirs: Places) -> Pairs:
    """All pairs counted, the first ones kept, from the places of both."""
    sides = (taken(rows, mine[:MOST_SHOWN]), taken(others, theirs[:MOST_SHOWN]))
    return pairs_of(len(mine), zip(*sides, strict=True))


def conflicting(part: Keyed) -> list[Conflict]:
    """Texts that stand with more than one label."""
    of = numbered(part.given).of
    several = np.flatnonzero(np.bincount(of)[of] > 1)
    order = several[np.argsort(of[several], kind="stable")]
    edges = [*np.flatnonzero(np.diff(of[order], prepend=-1)).tolist(), len(order)]
    conflicts = []
    for start, stop in itertools.pairwise(edges):
        rows = taken(part.rows, order[start:stop])
        labels = Counter(map(flatten, expected_of(rows)))
        if len(labels) > 1:
            conflicts.append(Conflict(labels=dict(labels), places=tuple(row.place for row in rows[:3])))
    return conflicts


def pairs_of(count: int, pairs: Iterable[tuple[Example, Example]]) -> Pairs:
    """The count of all pairs, and the first ones."""
    first = itertools.islice(pairs, MOST_SHOWN)
    return Pairs(count=count, shown=tuple((row.place, twin.place) for row, twin in first))


def notes_of(summary: DataSummary) -> list[str]:
    """The facts that should worry somebody, as sentences."""
    notes = [f"{pairs.count} {part} rows repeat an earlier {part} row" for part, pairs in summary.within.items() if pairs.count]
    notes += [f"{pairs.count} rows stand on two sides: {sides}" for sides, pairs in summary.across.items() if pairs.count]
    if summary.conflict_count:
        first = summary.conflicts[0]
        labels = ", ".join(f"'{label}'" for label in list(first.labels)[:3])
        notes.append(f"{summary.conflict_count} texts have several labels, such as {' and '.join(first.places[:2])} ({labels})")
    return notes
