from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from accordeur.evidence.intervals import score_interval, seed_interval
from accordeur.evidence.metric import Metric, RowStatistics, mean
from accordeur.evidence.resampling import Resampling
from tests.evidence.rows import ACCURACY, MACRO_F1, NLL, classified, counted, exactly

FEW = Resampling(resamples=2000)


@pytest.mark.parametrize("right", [0, 100])
def test_a_hundred_alike_rows_do_not_prove_the_next_one(right: int) -> None:
    found = score_interval(exactly(100, right), ACCURACY, resampling=FEW)
    width = found.high - found.low
    assert 0.02 < width < 0.06  # the rule of three says 0.03 one-sided, 0.037 two-sided
    assert found.value in (found.low, found.high)


def test_all_right_in_macro_f1_has_a_width_too() -> None:
    expected = np.arange(60) % 3
    found = score_interval(classified(expected, expected, 3), MACRO_F1, resampling=FEW)
    assert found.high == 1.0
    assert 0.9 < found.low < 0.98


def test_the_interval_of_a_proportion_is_close_to_the_exact_one() -> None:
    found = score_interval(exactly(400, 300), ACCURACY)
    exact = reference.binomtest(300, 400).proportion_ci(method="wilson")
    assert found.low == pytest.approx(exact.low, abs=0.004)
    assert found.high == pytest.approx(exact.high, abs=0.004)


def test_the_interval_of_a_loss_is_close_to_the_reference() -> None:
    values = np.random.default_rng(5).lognormal(0.0, 0.5, size=500)
    found = score_interval(counted(values), NLL)
    exact = reference.bootstrap((values,), np.mean, random_state=1).confidence_interval
    assert found.low == pytest.approx(exact.low, abs=0.008)
    assert found.high == pytest.approx(exact.high, abs=0.012)  # a little wider: the pseudo rows
    assert found.high >= exact.high


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 60), st.floats(0, 1), st.integers(0, 9))
def test_an_interval_holds_its_value_within_the_scale_and_grows_with_the_level(rows: int, share: float, seed: int) -> None:
    stats = counted(np.random.default_rng(seed).random(rows) < share)
    narrow, wide = (score_interval(stats, ACCURACY, level=level, resampling=Resampling(resamples=300)) for level in (0.8, 0.99))
    assert 0.0 <= wide.low <= narrow.low <= narrow.value <= narrow.high <= wide.high <= 1.0
    assert wide.low < wide.high


def test_same_seed_same_interval() -> None:
    stats = exactly(80, 60)
    assert score_interval(stats, ACCURACY, resampling=FEW) == score_interval(stats, ACCURACY, resampling=FEW)


def test_one_row_says_nothing() -> None:
    found = score_interval(exactly(1, 1), ACCURACY)
    assert (found.low, found.high) == (0.0, 1.0)
    found = score_interval(counted([2.0, 2.0, 2.0]), NLL)
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_a_scale_may_run_downwards() -> None:
    errors = Metric(name="error rate", finish=mean, higher_is_better=False, bounds=(1.0, 0.0))
    found = score_interval(exactly(50, 0), errors, resampling=FEW)
    assert found.low == 0.0 < found.high < 0.12


def test_seeds_share_the_resample() -> None:
    one = np.asarray(exactly(60, 40).values[0])
    same = RowStatistics(values=np.stack([one, one, one]))
    assert score_interval(same, ACCURACY, resampling=FEW) == score_interval(exactly(60, 40), ACCURACY, resampling=FEW)


def test_seed_spread_needs_five_seeds() -> None:
    assert seed_interval([0.8, 0.82, 0.81, 0.79]) is None
    values = [0.80, 0.82, 0.81, 0.79, 0.83]
    found = seed_interval(values)
    assert found is not None
    low, high = reference.t.interval(0.95, 4, loc=np.mean(values), scale=reference.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high))
