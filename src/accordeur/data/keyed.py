"""Rows beside the names under which they meet their equals, as arrays: duplicates, leaks and clusters without a loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from accordeur.data.normal import keys_of
from accordeur.data.stored import Places, Stored
from accordeur.example import Example

Names = npt.NDArray[np.bytes_]  # (rows,), all of one width


@dataclass(frozen=True, kw_only=True, eq=False)
class Keyed:
    """Rows with their keys, by the names that `keys_of` gives them."""

    rows: Sequence[Example]
    keys: Mapping[str, Names]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def given(self) -> Names:
        """(rows,): the key of what is given."""
        return self.keys["given"]

    @property
    def row(self) -> Names:
        """(rows,): the key under which two rows are duplicates."""
        return self.keys.get("row", self.given)

    @property
    def bond(self) -> Names:
        """(rows,): the key of rows that must stay together."""
        return self.keys.get("bond", self.given)

    def take(self, places: Places) -> Keyed:
        """The rows at some places, in that order."""
        return Keyed(rows=taken(self.rows, places), keys={name: found[places] for name, found in self.keys.items()})


def keyed(rows: Sequence[Example], kind: str) -> Keyed:
    """Rows of a kind with their keys; stored rows have them already."""
    keys = keys_of(kind)
    if isinstance(rows, Stored):
        return Keyed(rows=rows, keys={name: rows.keys(name) for name in keys})
    return Keyed(rows=rows, keys={name: np.array([key.of(row) for row in rows], f"S{key.width}") for name, key in keys.items()})


def joined(parts: Sequence[Keyed]) -> Keyed:
    """Several parts as one, in order."""
    keys = {name: np.concatenate([part.keys[name] for part in parts]) for name in parts[0].keys}
    return Keyed(rows=chained([part.rows for part in parts]), keys=keys)


def taken(rows: Sequence[Example], places: Places) -> Sequence[Example]:
    """The rows at some places, in that order."""
    return rows.take(places) if isinstance(rows, Stored) else tuple(rows[place] for place in places.tolist())


def expected_of(rows: Sequence[Example]) -> Iterator[Any]:
    """What is expected of each row."""
    return rows.expected() if isinstance(rows, Stored) else (row.expected for row in rows)


class Chain(Sequence[Example]):
    """Parts one after the other, none of them copied."""

    def __init__(self, parts: Sequence[Sequence[Example]]) -> None:
        self.parts = parts
        self.ends = np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __iter__(self) -> Iterator[Example]:
        for part in self.parts:
            yield from part

    @overload
    def __getitem__(self, at: int) -> Example: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Example]: ...
    def __getitem__(self, at: int | slice) -> Example | Sequence[Example]:
        places = np.arange(len(self))[at]
        if isinstance(at, slice):
            return chained([taken(part, inside) for part, inside in self.inside(places)])
        part = int(np.searchsorted(self.ends, places, "right"))
        return self.parts[part][int(places) - int(self.ends[part])]  # from the end of the part, so below zero

    def inside(self, places: Places) -> Iterator[tuple[Sequence[Example], Places]]:
        """Each part with those of some rising or falling places that lie in it, in the order of the places."""
        number = np.searchsorted(self.ends, places, "right")
        for part in dict.fromkeys(number.tolist()):
            start = int(self.ends[part]) - len(self.parts[part])
            yield self.parts[part], places[number == part] - start


def chained(parts: Sequence[Sequence[Example]]) -> Sequence[Example]:
    """The rows of all parts: a tuple where all of them are held, else a chain that reads them where they are asked for."""
    if any(isinstance(part, Stored | Chain) for part in parts):
        return Chain(parts)
    return tuple(row for part in parts for row in part)


class Numbered(NamedTuple):
    """Rows by number: equal keys have equal numbers 0, 1, … in the order in which they come; `first`: the row of each."""

    of: Places
    first: Places


def numbered(names: Names | Places) -> Numbered:
    """The number of each key."""
    _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return Numbered(rank[inverse], first[order])


def twins(names: Names | Places, others: Names | Places) -> Places:
    """(rows,): the place of the first of `others` with the same key, or -1."""
    if not len(others):
        return np.full(len(names), -1)
    known, first = np.unique(others, return_index=True)
    at = np.minimum(np.searchsorted(known, names), len(known) - 1)
    return np.where(known[at] == names, first[at], -1)
