from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from accordeur.errors import DataError
from accordeur.evidence.metric import RowStatistics
from accordeur.evidence.pairing import CAUTION, pair_up, paired_difference, unpaired_difference
from accordeur.evidence.resampling import Resampling
from tests.evidence.rows import ACCURACY, MACRO_F1, NLL, classified, counted, exactly, right_rows

FEW = Resampling(resamples=500)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 50), st.integers(2, 4), st.integers(0, 99))
def test_swapping_the_methods_turns_every_sign(rows: int, classes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    expected = random.integers(classes, size=rows)
    a, b = (classified(expected, random.integers(classes, size=rows), classes) for _ in range(2))
    there, back = paired_difference(a, b, MACRO_F1, resampling=FEW), paired_difference(b, a, MACRO_F1, resampling=FEW)
    np.testing.assert_allclose([there.difference, there.low, there.high], [-back.difference, -back.high, -back.low], atol=1e-9)
    assert there.p_value == pytest.approx(back.p_value, abs=1e-9)
    assert there.low <= there.difference <= there.high


def test_a_paired_mean_is_close_to_the_reference() -> None:
    random = np.random.default_rng(2)
    a = random.normal(1.0, 1.0, size=400)
    b = a - 0.1 + random.normal(0.0, 0.5, size=400)
    found = paired_difference(counted(a), counted(b), NLL)
    exact = reference.bootstrap(
        (a, b), lambda x, y: float(np.mean(x) - np.mean(y)), paired=True, vectorized=False, n_resamples=4000, random_state=0
    )
    half = (found.high - found.low) / 2
    assert found.difference == pytest.approx(np.mean(a - b))
    assert half == pytest.approx(reference.t.ppf(0.975, 399) * CAUTION * exact.standard_error, rel=0.05)
    assert found.low < exact.confidence_interval.low < exact.confidence_interval.high < found.high
    assert found.p_value == pytest.approx(reference.ttest_rel(a, b).pvalue, abs=0.01)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("b_right", [70, 74, 80, 90])
def test_the_p_value_agrees_with_the_bounds(b_right: int, level: float) -> None:
    found = paired_difference(exactly(200, 60), exactly(200, b_right), ACCURACY, level=level)
    assert (found.p_value < 1 - level) == (found.high < 0.0)


def test_methods_that_agree_everywhere_are_not_thereby_equal() -> None:
    found = paired_difference(exactly(100, 80), exactly(100, 80), ACCURACY)
    assert (found.difference, found.p_value) == (0.0, 1.0)
    assert found.high == -found.low
    assert 0.02 < found.high < 0.04
    more = paired_difference(exactly(1000, 800), exactly(1000, 800), ACCURACY)
    assert more.high < 0.004


def test_equal_losses_are_bounded_by_their_own_rows() -> None:
    values = np.random.default_rng(0).lognormal(size=50)
    found = paired_difference(counted(values), counted(values), NLL, resampling=FEW)
    assert 0.0 < found.high < 1.0


def test_a_single_row_bounds_nothing() -> None:
    found = paired_difference(exactly(1, 1), exactly(1, 0), ACCURACY, resampling=FEW)
    assert (found.difference, found.low, found.high, found.p_value) == (1.0, -1.0, 1.0, 1.0)


def test_a_method_with_three_seeds_against_one_without() -> None:
    fits = np.stack([right_rows(200, 0.8, seed).values[0] for seed in (1, 2, 3)])
    once = right_rows(200, 0.8, 4)
    averaged = paired_difference(RowStatistics(values=fits), once, ACCURACY)
    single = paired_difference(RowStatistics(values=fits[:1]), once, ACCURACY)
    assert averaged.difference == pytest.approx(fits[:, :, 0].mean() - once.values[0, :, 0].mean())
    assert averaged.high - averaged.low < single.high - single.low


def test_standard_errors_shrink_with_the_root_of_the_rows() -> None:
    paired = pair_up([right_rows(400, 0.8, 1), right_rows(400, 0.7, 2), right_rows(400, 0.7, 3)], ACCURACY, FEW)
    now, later = paired.standard_errors(), paired.standard_errors(1600)
    assert np.allclose(np.diag(now), 0.0)
    assert np.allclose(now, now.T)
    assert later[0, 1] == pytest.approx(now[0, 1] / 2, rel=0.01)


def test_unpaired_rows_may_differ_in_number() -> None:
    train, test = right_rows(600, 0.9, 1), right_rows(200, 0.8, 2)
    found = unpaired_difference(train, test, ACCURACY)
    a, b = train.values[0, :, 0], test.values[0, :, 0]
    error = (a.var() / 600 + b.var() / 200) ** 0.5
    assert (found.high - found.low) / 2 == pytest.approx(reference.t.ppf(0.975, 199) * CAUTION * error, rel=0.05)
    assert unpaired_difference(test, train, ACCURACY).low == pytest.approx(-found.high)
    alike = unpaired_difference(exactly(100, 100), exactly(50, 50), ACCURACY)
    assert 0.02 < alike.high < 0.09
    assert unpaired_difference(exactly(1, 1), exactly(9, 5), ACCURACY).p_value == 1.0


def test_other_rows_are_refused() -> None:
    with pytest.raises(DataError, match="different numbers of test rows"):
        paired_difference(exactly(10, 5), exactly(9, 5), ACCURACY)
