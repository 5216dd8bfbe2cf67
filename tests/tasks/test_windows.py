"""Windows over long rows."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from accordeur.tasks._windows import windows


def test_a_row_that_fits_is_one_window() -> None:
    assert windows(10, 10) == [(0, 10, 0, 10)]
    assert windows(0, 10) == [(0, 0, 0, 0)]


def test_windows_are_of_one_size() -> None:
    assert [(window.start, window.stop) for window in windows(11, 10)] == [(0, 6), (5, 11)]
    assert [(window.start, window.stop) for window in windows(20, 10)] == [(0, 10), (10, 20)]


@given(length=st.integers(0, 400), room=st.integers(1, 60), overlap=st.integers(0, 60))
def test_every_token_is_in_a_window_and_owned_once(length: int, room: int, overlap: int) -> None:
    found = windows(length, room, overlap)
    assert [place for window in found for place in range(window.own_start, window.own_stop)] == list(range(length))
    for window in found:
        assert window.start <= window.own_start <= window.own_stop <= window.stop
        assert window.stop - window.start <= room
    shared = min(overlap, room - 1)
    assert all(before.stop - after.start >= shared for before, after in pairwise(found))
    assert found[0].start == 0
    assert found[-1].stop == length
    fewest = 1 if length <= room else -(-(length - shared) // (room - shared))
    assert len(found) == fewest
