"""When candidates are judged, who goes on, and how sure that was."""

from __future__ import annotations

import numpy as np
import pytest

from accordeur.compare.grid import candidates_of, grids
from accordeur.compare.halving import effort, judge, rungs
from accordeur.errors import RecipeError
from accordeur.evidence.metric import Metric, mean

LOSS = Metric(name="nll", finish=mean, higher_is_better=False, unit="nats", bounds=None)
SHARE = Metric(name="accuracy", finish=mean)


def table(values: np.ndarray) -> np.ndarray:
    return np.stack([values, np.ones_like(values)], 1)


@pytest.mark.parametrize(
    ("candidates", "kept", "cost"),
    [(1, [], 1.0), (2, [1], 1.5), (3, [2, 1], 1.75), (4, [2, 1], 2.0), (6, [4, 2, 1], 2.25), (8, [4, 2, 1], 2.5),
     (24, [9, 3, 1], 5.375)],
)  # fmt: skip
def test_rungs_leave_one_candidate_and_cost_little(candidates, kept, cost):
    steps = rungs(candidates, halving=True)
    assert [rung.keep for rung in steps] == kept
    assert [rung.share for rung in steps] == [1 / 8, 1 / 4, 1 / 2][3 - len(steps) :]
    assert effort(candidates, steps) == pytest.approx(cost)


def test_without_halving_everybody_is_trained_to_the_end():
    steps = rungs(8, halving=False)
    assert [(rung.share, rung.keep) for rung in steps] == [(1.0, 1)]
    assert effort(8, steps) == 8


@pytest.mark.parametrize("metric", [LOSS, SHARE])
def test_the_better_half_goes_on_and_the_clearly_worse_is_surely_out(metric):
    random = np.random.default_rng(0)
    noise = random.uniform(0, 0.2, 200)
    base = {"good": 0.3, "same": 0.3, "near": 0.31, "bad": 0.6}
    tables = {
        name: table((level if metric is LOSS else 1 - level) * np.ones(200) + noise + random.normal(0, 0.2, 200))
        for name, level in base.items()
    }
    found = judge(tables, metric, 2)
    assert [one.kept for one in found] == [True, True, False, False]
    assert found[0].difference is None
    worst = found[-1]
    assert worst.candidate == "bad"
    assert worst.sure > 0.999
    assert worst.low < worst.difference < worst.high < 0
    assert all(one.difference <= 0 for one in found[1:])
    assert all(one.sure < 0.99 for one in found if one.candidate in ("same", "near", "good") and one.sure is not None)


def test_equal_candidates_go_by_order_and_nothing_is_sure():
    rows = table(np.linspace(0, 1, 50))
    first, second = judge({"first": rows, "second": rows.copy()}, LOSS, 1)
    assert (first.candidate, first.kept, second.kept) == ("first", True, False)
    assert second.difference == 0
    assert second.sure == pytest.approx(0.5)


def test_how_sure_it_is_holds_what_it_says():
    """Of candidates that are truly equal, about as many are called surely worse as the number says."""
    random = np.random.default_rng(1)
    surely = 0
    for _ in range(400):
        tables = {name: table(random.normal(1.0, 0.3, 60)) for name in ("a", "b")}
        surely += judge(tables, LOSS, 1)[1].sure > 0.975
    assert surely / 400 < 0.08  # two-sided 5 %, since the worse one is picked after looking


def test_one_row_is_never_sure():
    found = judge({"a": table(np.array([0.1])), "b": table(np.array([0.9]))}, LOSS, 1)
    assert found[1].sure == pytest.approx(0.5)
    assert found[1].low is None


def test_candidates_are_all_combinations_by_name():
    found = candidates_of("lora", {"dropout": 0.0}, {"rank": [4, 8], "rate": [1e-4, 3e-4]})
    assert [one.name for one in found] == [
        "lora[rank=4,rate=0.0001]", "lora[rank=4,rate=0.0003]", "lora[rank=8,rate=0.0001]", "lora[rank=8,rate=0.0003]",
    ]  # fmt: skip
    assert {one.work.dropout for one in found} == {0.0}
    assert found[3].work.rank == 8
    assert found[3].work.rate == 3e-4


def test_rates_that_a_method_would_try_are_swept_with_the_rest():
    assert len(candidates_of("lora", {}, {"rank": [4, 8]})) == 2 * 3
    assert len(candidates_of("lora", {"rate": 1e-3}, {"rank": [4, 8]})) == 2
    assert len(candidates_of("lora", {"rates": [1e-3, 2e-3]}, {"rank": [4, 8]})) == 2 * 2
    assert len(candidates_of("tfidf", {}, {"c": [0.1, 1.0]})) == 2


@pytest.mark.parametrize(
    ("settings", "swept", "said"),
    [
        ({}, {"ranks": [4]}, "no setting 'ranks'"),
        ({}, {"rank": [0]}, "rank"),
        ({}, {"rank": ["four"]}, "rank"),
        ({}, {"rank": [4, 4]}, "different values"),
        ({}, {"rank": []}, "different values"),
        ({"rank": 4}, {"rank": [4, 8]}, "both set and swept"),
        ({}, {"rank": list(range(1, 100)), "alpha": [1.0, 2.0, 3.0]}, "at most 256"),
    ],
)
def test_sweeps_that_cannot_be_are_refused(settings, swept, said):
    with pytest.raises(RecipeError, match=said):
        candidates_of("lora", settings, swept)


def test_only_methods_of_the_recipe_can_be_swept():
    with pytest.raises(RecipeError, match="not among the methods"):
        grids({"tfidf": {}}, {"lora": {"rank": [4]}})
    with pytest.raises(RecipeError, match="unknown"):
        grids({"lora": {}}, {"laro": {"rank": [4]}})
