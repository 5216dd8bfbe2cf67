from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from accordeur.evidence.settling import OPEN, settled


def flat(methods: int, width: float) -> np.ndarray:
    return width * (1.0 - np.eye(methods))


def test_the_rule_by_hand() -> None:
    scores = np.array(
        [
            [0.70, 0.80, 0.80],  # the first is out; the second is within 0.03 of the third
            [0.795, 0.80, 0.80],  # the first is within
            [0.76, 0.80, 0.80],  # the first is neither: -0.04 +- 0.02
            [0.70, 0.80, 0.82],  # the second is neither
            [0.70, 0.75, 0.82],  # both cheaper are out, the best is within of all
            [0.90, 0.70, 0.60],  # the cheapest is the best
        ]
    )
    assert settled(scores, flat(3, 0.02), 0.03).tolist() == [1, 0, OPEN, OPEN, 2, 0]


def test_being_best_here_is_not_enough() -> None:
    assert settled(np.array([[0.81, 0.80]]), flat(2, 0.05), 0.01).tolist() == [OPEN]


def test_ties_need_room_too() -> None:
    assert settled(np.array([[0.8, 0.8]]), flat(2, 0.02), 0.01).tolist() == [OPEN]
    assert settled(np.array([[0.8, 0.8]]), flat(2, 0.01), 0.01).tolist() == [0]
    assert settled(np.array([[0.8]]), flat(1, 0.0), 0.0).tolist() == [0]


@given(arrays(float, (5, 4), elements=st.floats(0, 1)), st.floats(0, 0.2), st.floats(0, 0.2))
def test_wider_bounds_never_change_a_verdict_but_to_open(scores: np.ndarray, width: float, tolerance: float) -> None:
    narrow, wide = (settled(scores, flat(4, size), tolerance) for size in (width, width + 0.05))
    assert ((wide == narrow) | (wide == OPEN)).all()
    observed = settled(scores, flat(4, 0.0), tolerance)
    assert ((narrow == observed) | (narrow == OPEN)).all()
