from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats as reference

from accordeur.evidence.pairing import CAUTION, Paired
from accordeur.evidence.power import rows_to_settle


def paired(scores: list[float], rows: int = 200, spread: float = 0.4, together: float = 0.5) -> Paired:
    """Methods whose scores of one row have this standard deviation and correlation."""
    methods = len(scores)
    correlation = np.full((methods, methods), together) + (1 - together) * np.eye(methods)
    pseudo = 1.0 - np.eye(methods)
    return Paired(scores=np.array(scores), covariance=spread**2 * correlation / rows, pseudo=pseudo, rows=rows, span=1.0)


def test_one_comparison_of_known_gap_is_the_textbook_formula() -> None:
    needed = rows_to_settle(paired([0.75, 0.80]), 0.01, assurance=0.8, doubt=0.0)
    deviation = 0.4 * 2**0.5 * 0.5**0.5
    z_level, z_power = reference.norm.ppf([0.975, 0.8])
    textbook = ((CAUTION * z_level + z_power) * deviation / 0.04) ** 2
    assert needed == pytest.approx(textbook, rel=0.12)


def test_more_to_settle_needs_more_rows() -> None:
    two = rows_to_settle(paired([0.75, 0.80]), 0.01)
    closer = rows_to_settle(paired([0.77, 0.80]), 0.01)
    more = rows_to_settle(paired([0.75, 0.75, 0.75, 0.80]), 0.01)
    sure = rows_to_settle(paired([0.75, 0.80]), 0.01, confidence=0.99)
    assert two is not None and closer is not None and more is not None and sure is not None
    assert two < min(closer, more, sure)


def test_doubt_about_the_gap_costs_rows() -> None:
    known = rows_to_settle(paired([0.75, 0.80]), 0.01, doubt=0.0)
    doubted = rows_to_settle(paired([0.75, 0.80]), 0.01, doubt=1.0)
    assert known is not None and doubted is not None
    assert doubted > 1.5 * known


def test_identical_methods_only_need_room() -> None:
    alike = replace(paired([0.8, 0.8]), covariance=np.full((2, 2), 1e-4))
    assert rows_to_settle(alike, 0.01) == pytest.approx(reference.norm.ppf(0.975) * CAUTION * 2**0.5 / 0.01, rel=0.05)


def test_what_cannot_be_estimated_is_none() -> None:
    assert rows_to_settle(paired([0.75, 0.80], rows=9), 0.01) is None
    assert rows_to_settle(paired([0.79, 0.80], rows=5000), 0.01, doubt=0.0) is None  # exactly at the border
    assert rows_to_settle(paired([0.80, 0.80]), 0.0, doubt=0.0) is None
    assert rows_to_settle(paired([0.75, 0.80]), 0.01, max_rows=300) is None
    assert rows_to_settle(paired([0.80]), 0.01) is None


@pytest.mark.parametrize("gap", [0.03, 0.05, 0.1])
def test_the_answer_is_a_round_number(gap: float) -> None:
    needed = rows_to_settle(paired([0.8 - gap, 0.8], rows=20), 0.01)
    assert isinstance(needed, int)
    assert needed >= 20
    assert len(str(needed).rstrip("0")) <= 2
