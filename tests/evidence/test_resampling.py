from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.errors import DataError
from accordeur.evidence import resampling as module
from accordeur.evidence.metric import RowStatistics, score
from accordeur.evidence.resampling import Resampling, influences, resampled_scores, weights
from tests.evidence.rows import ACCURACY, MACRO_F1, classified, counted, exactly


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(2, 5), st.integers(1, 3), st.integers(0, 99))
def test_one_matrix_product_equals_drawing_rows_one_by_one(rows: int, classes: int, seeds: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    expected = random.integers(classes, size=rows)
    fits = [classified(expected, random.integers(classes, size=rows), classes).values[0] for _ in range(seeds)]
    stats = RowStatistics(values=np.stack(fits))
    fast = resampled_scores([stats], MACRO_F1, Resampling(resamples=20, seed=seed))[:, 0]
    drawn = np.random.default_rng(seed)
    slow = [score(stats.take(drawn.integers(rows, size=rows)), MACRO_F1) for _ in range(20)]
    np.testing.assert_allclose(fast, slow, atol=1e-12)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Resampling(resamples=50, seed=3)
    whole = np.concatenate(list(weights(33, settings)))
    monkeypatch.setattr(module, "CHUNK_CELLS", 7 * 33)
    monkeypatch.setattr(module, "KEPT_CELLS", 0)
    pieces = list(weights(33, settings))
    assert max(len(piece) for piece in pieces) == 7
    assert np.array_equal(np.concatenate(pieces), whole)
    assert (whole.sum(axis=1) == 33).all()


def test_methods_see_the_same_rows() -> None:
    stats = exactly(50, 30)
    both = resampled_scores([stats, stats], ACCURACY, Resampling(resamples=100))
    assert np.array_equal(both[:, 0], both[:, 1])
    assert np.array_equal(both[:, 0], resampled_scores([stats], ACCURACY, Resampling(resamples=100))[:, 0])
    assert not np.array_equal(both, resampled_scores([stats, stats], ACCURACY, Resampling(resamples=100, seed=1)))


def test_different_rows_are_refused() -> None:
    with pytest.raises(DataError, match="different numbers of test rows: 4, 5"):
        resampled_scores([exactly(4, 1), exactly(5, 1)], ACCURACY, Resampling(resamples=2))


def test_influence_on_a_mean_is_the_distance_from_it() -> None:
    values = np.random.default_rng(0).normal(size=30)
    np.testing.assert_allclose(influences(counted(values), ACCURACY), values - values.mean(), atol=1e-12)
    assert influences(exactly(1, 1), ACCURACY).tolist() == [0.0]
