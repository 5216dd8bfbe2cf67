from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.evidence.corrections import holm, simultaneous_level


def test_holm_by_hand() -> None:
    # sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04, made monotone
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()
    assert holm([0.7, 0.9]) == pytest.approx((1.0, 1.0))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_the_raw_and_the_bonferroni_values(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for raw, value in zip(p_values, adjusted, strict=True):
        assert raw <= value <= min(1.0, raw * len(p_values)) or value == pytest.approx(raw)
    assert sorted(range(len(p_values)), key=lambda i: (p_values[i], adjusted[i])) == sorted(
        range(len(p_values)), key=lambda i: (adjusted[i], p_values[i])
    )


def test_levels_of_several_bounds() -> None:
    assert simultaneous_level(1) == pytest.approx(0.95)
    assert simultaneous_level(5) == pytest.approx(0.99)
    assert simultaneous_level(0) == pytest.approx(0.95)
    assert simultaneous_level(2, 0.9) == pytest.approx(0.95)
