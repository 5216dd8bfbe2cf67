"""The promises of the evidence where the truth is known; the full table is `python -m benchmarks.simulations`."""

from __future__ import annotations

import pytest
from benchmarks.simulations import (
    Effort,
    World,
    accuracy_world,
    cover,
    cover_gap,
    crown,
    equal,
    f1_world,
    fifth,
    nll_world,
    plan,
    right_answer,
    settle,
)

EFFORT = Effort(draws=400, resamples=1000)
LIGHT = Effort(draws=400, resamples=300)


@pytest.mark.parametrize(
    ("world", "rows"),
    [
        (f1_world(3, [0.8]), 100),
        (f1_world(5, [0.7], 1.3), 200),
        (f1_world(8, [0.6], 1.3), 500),
        (accuracy_world([0.8]), 200),
        (accuracy_world([0.95]), 100),
        (nll_world(0.5, [1.2]), 100),
        (nll_world(1.0, [1.2]), 200),
    ],
    ids=lambda value: value.name if isinstance(value, World) else str(value),
)
def test_intervals_cover(world: World, rows: int) -> None:
    found = cover(world, rows, EFFORT)
    assert found.kept, found


def test_the_gap_between_train_and_test_is_covered() -> None:
    found = cover_gap(f1_world(5, [0.7], 1.3), 150, LIGHT)
    assert found.kept, found


@pytest.mark.parametrize(
    ("world", "rows"),
    [
        (f1_world(3, [0.8, 0.8], twins=True), 200),
        (accuracy_world([0.8, 0.8]), 100),
        (nll_world(0.5, [1.2, 1.2]), 100),
    ],
    ids=lambda value: value.name if isinstance(value, World) else str(value),
)
def test_equal_methods_are_seldom_called_different(world: World, rows: int) -> None:
    found = equal(world, rows, LIGHT)
    assert found.kept, found


@pytest.mark.parametrize(
    ("world", "rows", "tolerance"),
    [
        (accuracy_world([0.75, 0.80], 0.5), 300, 0.01),
        (accuracy_world([0.75, 0.80], 0.8), 800, 0.049),  # the hardest: just beyond the tolerance
        (accuracy_world([0.75, 0.75, 0.75, 0.80], 0.8), 800, 0.049),
    ],
)
def test_a_truly_worse_method_is_seldom_crowned(world: World, rows: int, tolerance: float) -> None:
    assert right_answer(world, tolerance) == f"m{len(world.true) - 1}"
    found = crown(world, rows, tolerance, LIGHT)
    assert found.kept, found


@pytest.mark.parametrize(
    ("world", "tolerance"),
    [
        (accuracy_world([0.75, 0.80], 0.5), 0.01),
        (accuracy_world([0.60, 0.70, 0.75, 0.70, 0.80], 0.5), 0.01),
        (f1_world(5, [0.75, 0.80], 1.3), 0.01),
    ],
    ids=lambda value: value.name if isinstance(value, World) else str(value),
)
def test_the_rows_planned_for_known_scores_settle_it(world: World, tolerance: float) -> None:
    found = plan(world, 50, tolerance, Effort(draws=400, resamples=300))
    assert found.kept, found


def test_the_rows_asked_for_settle_it() -> None:
    found = settle(accuracy_world([0.70, 0.75, 0.80], 0.5), 300, 0.02, Effort(draws=200, resamples=200))
    assert found.draws > 100
    assert found.kept, found


def test_a_fifth_of_the_rows_seldom_contradicts_all() -> None:
    found = fifth(accuracy_world([0.70, 0.80], 0.5), 1500, 0.02, Effort(draws=200, resamples=200))
    assert found.draws > 100
    assert found.kept, found
