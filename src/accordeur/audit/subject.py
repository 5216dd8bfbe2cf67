"""What is audited: the parts of the data, their kind, and what the checks have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from accordeur.audit.near import Twins, near_twins
from accordeur.data.normal import Keys
from accordeur.errors import Problem
from accordeur.example import Example, flatten
from accordeur.task import Task
from accordeur.tasks import Codec

NEAR = 0.7  # Jaccard similarity of runs of four letters from which two texts are near duplicates


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The rows by part. `ruler`: a task and a base's tokenizer, by which lengths are measured in tokens.

    `left_out`: pairs (row, row that it repeats) that the splitting took out already. `bad`: rows that could not be read.
    """

    kind: str
    parts: Mapping[str, Sequence[Example]]
    group: str | None = None
    ruler: tuple[Task, Codec] | None = None
    left_out: Sequence[tuple[Example, Example]] = ()
    bad: Sequence[Problem] = ()
    bad_rows: int = 0
    about: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def rows(self) -> tuple[Example, ...]:
        """All rows, part after part."""
        return tuple(row for part in self.parts.values() for row in part)

    @cached_property
    def part_of(self) -> tuple[str, ...]:
        """The part of each of `rows`."""
        return tuple(part for part, rows in self.parts.items() for _ in rows)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All the text of each of `rows`, for what is looked for anywhere."""
        return tuple("\n".join([*map(flatten, row.given.values()), flatten(row.expected)]) for row in self.rows)

    @cached_property
    def keys(self) -> Keys:
        """The keys under which rows count as the same."""
        return Keys(self.kind)

    @cached_property
    def near(self) -> Twins:
        """The pairs of rows whose given texts are nearly, but not exactly, the same."""
        keys = [self.keys.given(row) + part.encode() for row, part in zip(self.rows, self.part_of, strict=True)]
        seen: dict[bytes, int] = {}
        alone = [place for place, key in enumerate(keys) if seen.setdefault(key, place) == place]
        found = near_twins([compared(self.rows[place], self.kind) for place in alone], NEAR)
        pairs = [(alone[one], alone[other], likeness) for one, other, likeness in found.pairs]
        return Twins(pairs=[pair for pair in pairs if self.comparable(*pair[:2])], limited=found.limited)

    def comparable(self, one: int, other: int) -> bool:
        """Whether two rows that read alike may be near duplicates: not the same text, and for extract the same context."""
        rows = self.rows
        if self.keys.given(rows[one]) == self.keys.given(rows[other]):
            return False
        return self.kind != "extract" or self.keys.bond(rows[one]) == self.keys.bond(rows[other])


def compared(row: Example, kind: str) -> str:
    """The text by which a row is compared: what is given, less what many rows share (a context, a system's turn)."""
    if kind == "extract":
        return flatten(row.given["question"])
    turns = row.given.get("messages")
    if turns:
        return "\n".join(turn["content"] for turn in turns if turn["role"] != "system")
    return row.text() if row.given else flatten(row.expected)
