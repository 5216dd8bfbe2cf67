from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.training.schedules import SHAPES, factor, warmup_steps


def test_warmup_is_a_share_below_one_and_steps_from_one() -> None:
    assert warmup_steps(0.06, 100) == 6
    assert warmup_steps(0.06, 10) == 1
    assert warmup_steps(0.0, 100) == 0
    assert warmup_steps(12, 100) == 12


@pytest.mark.parametrize("schedule", SHAPES)
def test_the_warmup_is_linear_and_ends_at_one(schedule: str) -> None:
    values = [factor(schedule, step, warmup=4, steps=20) for step in range(1, 5)]  # type: ignore[arg-type]
    assert values == [0.25, 0.5, 0.75, 1.0]


FORMULAS = {
    "constant": lambda t, n, total: 1.0,
    "linear": lambda t, n, total: (total - t + 1) / (total - n),
    "cosine": lambda t, n, total: 0.1 + 0.9 * (1 + math.cos(math.pi * (t - 1 - n) / (total - n))) / 2,
    "inverse_sqrt": lambda t, n, total: math.sqrt(n / t),
    "trapezoid": lambda t, n, total: 0.1 + 0.9 * min(1.0, (total - t + 1) / (total / 4)),
    "exponential": lambda t, n, total: 0.1 ** ((t - 1 - n) / (total - n)),
}


@pytest.mark.parametrize("schedule", SHAPES)
@pytest.mark.parametrize("step", [6, 7, 50, 99, 100])
def test_each_schedule_is_its_formula(schedule: str, step: int) -> None:
    floor = 0.0 if schedule == "linear" else 0.1
    found = factor(schedule, step, warmup=5, steps=100, floor=floor)  # type: ignore[arg-type]
    assert found == pytest.approx(FORMULAS[schedule](step, 5, 100), rel=1e-12)


@given(st.sampled_from(sorted(SHAPES)), st.integers(1, 60), st.integers(0, 70), st.integers(1, 60))
def test_a_factor_is_always_between_zero_and_one(schedule: str, step: int, warmup: int, steps: int) -> None:
    assert 0.0 < factor(schedule, min(step, steps), warmup=warmup, steps=steps) <= 1.0  # type: ignore[arg-type]
