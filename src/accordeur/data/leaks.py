"""Cheap, exact facts about the parts of the data, known before anything is trained: sizes, duplicates, conflicts, leaks."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.data.normal import Keys
from accordeur.data.split import Splits, is_classes
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
    parts = splits.parts()
    everything = [*(row for rows in parts.values() for row in rows), *(row for row, _ in splits.dropped)]
    keys = Keys(kind)
    conflicts = conflicting(everything, keys) if kind in ("classify", "tag") else []
    summary = DataSummary(
        kind=kind,
        rows={part: len(rows) for part, rows in parts.items()},
        classes=class_counts(parts) if is_classes(kind, splits.train) else {},
        within={part: pairs_of(repeats(rows, keys)) for part, rows in parts.items()},
        across={f"{part} in {other}": pairs_of(common(parts[part], parts[other], keys)) for part, other in SIDES},
        dropped=pairs_of((row.place, twin.place) for row, twin in splits.dropped),
        conflicts=tuple(conflicts[:MOST_SHOWN]),
        conflict_count=len(conflicts),
    )
    return dataclasses.replace(summary, notes=tuple(notes_of(summary)))


SIDES = (("train", "test"), ("train", "validation"), ("validation", "test"))


def class_counts(parts: dict[str, tuple[Example, ...]]) -> dict[str, dict[str, int]]:
    """Rows of each label in each part; labels in the order of the alphabet."""
    counts = {part: Counter(str(row.expected) for row in rows) for part, rows in parts.items()}
    labels = sorted({label for found in counts.values() for label in found})
    return {label: {part: counts[part][label] for part in parts} for label in labels}


def repeats(rows: Sequence[Example], keys: Keys) -> list[tuple[str, str]]:
    """(row, the first row it repeats) inside one part."""
    first: dict[bytes, Example] = {}
    twins = ((row, first.setdefault(keys.row(row), row)) for row in rows)
    return [(row.place, twin.place) for row, twin in twins if twin is not row]


def common(rows: Sequence[Example], others: Sequence[Example], keys: Keys) -> list[tuple[str, str]]:
    """(row, row of the other part with the same text)."""
    places = {keys.given(other): other.place for other in reversed(others)}
    return [(row.place, twin) for row in rows if (twin := places.get(keys.given(row))) is not None]


def conflicting(rows: Sequence[Example], keys: Keys) -> list[Conflict]:
    """Texts that stand with more than one label."""
    found: dict[bytes, list[Example]] = defaultdict(list)
    for row in rows:
        found[keys.given(row)].append(row)
    conflicts = []
    for same in found.values():
        labels = Counter(flatten(row.expected) for row in same) if len(same) > 1 else Counter[str]()
        if len(labels) > 1:
            conflicts.append(Conflict(labels=dict(labels), places=tuple(row.place for row in same[:3])))
    return conflicts


def pairs_of(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """All pairs counted, the first ones kept."""
    found = list(pairs)
    return Pairs(count=len(found), shown=tuple(found[:MOST_SHOWN]))


def notes_of(summary: DataSummary) -> list[str]:
    """The facts that should worry somebody, as sentences."""
    notes = [f"{pairs.count} {part} rows repeat an earlier {part} row" for part, pairs in summary.within.items() if pairs.count]
    notes += [f"{pairs.count} rows stand on two sides: {sides}" for sides, pairs in summary.across.items() if pairs.count]
    if summary.conflict_count:
        first = summary.conflicts[0]
        labels = ", ".join(f"'{label}'" for label in list(first.labels)[:3])
        notes.append(f"{summary.conflict_count} texts have several labels, such as {' and '.join(first.places[:2])} ({labels})")
    return notes
