from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from accordeur.errors import DataError
from accordeur.evidence.metric import Metric, RowStatistics, finished, macro_f1, mean, score, seed_scores
from tests.evidence.rows import ACCURACY, MACRO_F1, classified, counted, exactly


@pytest.mark.parametrize("classes", [2, 5])
def test_macro_f1_is_that_of_scikit_learn(classes: int) -> None:
    random = np.random.default_rng(classes)
    expected, predicted = random.integers(classes, size=(2, 60))
    assert score(classified(expected, predicted, classes), MACRO_F1) == pytest.approx(
        f1_score(expected, predicted, average="macro")
    )


def test_a_class_nobody_met_does_not_count() -> None:
    seen = np.array([0, 0, 1, 1])
    assert score(classified(seen, seen, 3), MACRO_F1) == 1.0


def test_the_score_of_several_seeds_is_the_mean_of_their_scores() -> None:
    first, second = np.array([[3.0, 1.0], [1.0, 1.0]]), np.array([[3.0, 3.0], [0.0, 1.0]])
    stats = RowStatistics(values=np.stack([first, second]))
    assert seed_scores(stats, ACCURACY).tolist() == [2.0, 0.75]
    assert score(stats, ACCURACY) == 1.375  # pooled rows would give 7 / 6


def test_one_seed_may_leave_its_axis_out() -> None:
    stats = exactly(4, 1)
    assert (stats.seeds, stats.rows) == (1, 4)
    assert stats.take(np.array([3, 0])).values[0, :, 0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((0, 2)), np.zeros((1, 1, 1, 1))])
def test_shapes_without_rows_are_refused(values: np.ndarray) -> None:
    with pytest.raises(DataError, match="shape"):
        RowStatistics(values=values)


def test_rows_that_are_not_numbers_are_counted_and_refused() -> None:
    with pytest.raises(DataError, match="2 of 3 rows"):
        counted([1.0, np.nan, np.inf])


def test_an_undefined_score_is_refused() -> None:
    with pytest.raises(DataError, match="accuracy is not a finite number"):
        finished(np.array([0.0, 0.0]), ACCURACY)


def test_sign_turns_losses() -> None:
    assert Metric(name="loss", finish=mean, higher_is_better=False).sign == -1.0
    assert macro_f1(np.zeros((2, 6))).tolist() == [0.0, 0.0]
