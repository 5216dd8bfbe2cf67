"""Windows over a row that is longer than the model may read: every token is in one, none is lost in silence."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple


class Window(NamedTuple):
    """Tokens [start, stop) of a row. Of the overlaps it owns the half nearer to its middle: each token has one owner."""

    start: int
    stop: int
    own_start: int
    own_stop: int

    def owns(self, place: int) -> bool:
        """Whether the answer for a token is taken from this window."""
        return self.own_start <= place < self.own_stop


def windows(length: int, room: int, overlap: int = 0) -> list[Window]:
    """The fewest windows of at most `room` tokens that share at least `overlap` with their neighbours, of one size.

    A row without tokens has one empty window.
    """
    if length <= room:
        return [Window(0, length, 0, length)]
    overlap = min(overlap, room - 1)
    count = -(-(length - overlap) // (room - overlap))
    size = -(-(length + overlap * (count - 1)) // count)
    starts = [place * (length - size) // (count - 1) for place in range(count)]
    cuts = [0, *((start + before + size) // 2 for before, start in pairwise(starts)), length]
    return [Window(start, start + size, cuts[place], cuts[place + 1]) for place, start in enumerate(starts)]
