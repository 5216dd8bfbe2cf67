"""Rows of one width that are made when asked for, so that a corpus of any size is trained on without making them all first."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import overload

from accordeur.example import Encoded


class Even(Sequence[Encoded]):
    """Row i is a pure function of i and of what `digest` stands for; every row is as wide as the first."""

    digest: str  # changes whenever any row would

    @abstractmethod
    def row(self, place: int) -> Encoded:
        """The row at a place, 0 to len - 1."""

    @overload
    def __getitem__(self, place: int) -> Encoded: ...
    @overload
    def __getitem__(self, place: slice) -> list[Encoded]: ...
    def __getitem__(self, place: int | slice) -> Encoded | list[Encoded]:
        """One row, or some."""
        if isinstance(place, slice):
            return [self.row(one) for one in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self.row(place)
