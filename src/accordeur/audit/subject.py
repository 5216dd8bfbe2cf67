"""What is audited: the parts of the data, their kind, and what the checks have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from accordeur.audit.near import Twins, near_twins
from accordeur.data.keyed import Keyed, chained, joined, keyed, numbered, taken
from accordeur.data.split import Dropped
from accordeur.errors import Problem
from accordeur.example import Example, flatten
from accordeur.task import Task
from accordeur.tasks import Codec

MOST_ROWS = 100_000  # looked at row by row; exact repeats, leaks and conflicts are looked for among all rows
NEAR = 0.7  # Jaccard similarity of runs of four letters from which two texts are near duplicates


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The rows by part. `ruler`: a task and a base's tokenizer, by which lengths are measured in tokens.

    `left_out`: rows that the splitting took out already, with their twins. `bad`: rows that could not be read.
    """

    kind: str
    parts: Mapping[str, Sequence[Example]]
    group: str | None = None
    ruler: tuple[Task, Codec] | None = None
    left_out: Sequence[Dropped] = ()
    bad: Sequence[Problem] = ()
    bad_rows: int = 0

    @cached_property
    def rows(self) -> Sequence[Example]:
        """All rows, part after part."""
        return chained(list(self.parts.values()))

    @cached_property
    def keyed(self) -> Mapping[str, Keyed]:
        """The parts with the keys under which rows count as the same."""
        return {part: keyed(rows, self.kind) for part, rows in self.parts.items()}

    @cached_property
    def sample(self) -> Subject:
        """What is looked at row by row: all rows, or of very many an even part of them."""
        return self.thinned(MOST_ROWS)

    def thinned(self, most: int) -> Subject:
        """The same parts with at most so many rows in all, evenly spread; small parts stay whole as long as they can."""
        if len(self.rows) <= most:
            return self
        parts: dict[str, Sequence[Example]] = {}
        by_size = sorted(self.parts, key=lambda part: len(self.parts[part]))
        for place, part in enumerate(by_size):
            parts[part] = spread(self.parts[part], most // (len(by_size) - place))
            most -= len(parts[part])
        return replace(self, parts={part: parts[part] for part in self.parts})

    @cached_property
    def part_of(self) -> tuple[str, ...]:
        """The part of each of `rows`."""
        return tuple(part for part, rows in self.parts.items() for _ in range(len(rows)))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All the text of each of `rows`, for what is looked for anywhere."""
        return tuple("\n".join([*map(flatten, row.given.values()), flatten(row.expected)]) for row in self.rows)

    @cached_property
    def near(self) -> Twins:
        """The pairs of rows (places in `rows`) whose given texts are nearly, but not exactly, the same."""
        whole = joined(list(self.keyed.values()))
        places = {part: number for number, part in enumerate(self.parts)}
        part_of = np.array([places[part] for part in self.part_of], np.int64)
        alone = np.sort(np.unique(numbered(whole.given).of * len(places) + part_of, return_index=True)[1])
        found = near_twins([compared(row, self.kind) for row in taken(self.rows, alone)], NEAR)
        pairs = [(int(alone[one]), int(alone[other]), likeness) for one, other, likeness in found.pairs]
        return Twins(pairs=[pair for pair in pairs if comparable(whole, *pair[:2], self.kind)], limited=found.limited)


def comparable(whole: Keyed, one: int, other: int, kind: str) -> bool:
    """Whether two rows that read alike may be near duplicates: not the same text, and for extract the same context."""
    if whole.given[one] == whole.given[other]:
        return False
    return kind != "extract" or bool(whole.bond[one] == whole.bond[other])


def spread(rows: Sequence[Example], most: int) -> Sequence[Example]:
    """At most so many of them, evenly spread."""
    step = -(-len(rows) // max(1, most)) or 1
    return rows[::step]


def compared(row: Example, kind: str) -> str:
    """The text by which a row is compared: what is given, less what many rows share (a context, a system's turn)."""
    if kind == "extract":
        return flatten(row.given["question"])
    turns = row.given.get("messages")
    if turns:
        return "\n".join(turn["content"] for turn in turns if turn["role"] != "system")
    return row.text() if row.given else flatten(row.expected)
