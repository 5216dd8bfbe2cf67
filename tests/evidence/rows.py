from __future__ import annotations

import numpy as np

from accordeur.evidence.metric import Metric, RowStatistics, macro_f1, mean

ACCURACY = Metric(name="accuracy", finish=mean)
MACRO_F1 = Metric(name="macro-F1", finish=macro_f1)
NLL = Metric(name="NLL", finish=mean, higher_is_better=False, unit="nats", bounds=None)


def counted(values: object) -> RowStatistics:
    """Rows of a plain mean: (value, 1)."""
    column = np.asarray(values, dtype=float)
    return RowStatistics(values=np.stack([column, np.ones_like(column)], axis=-1))


def classified(expected: np.ndarray, predicted: np.ndarray, classes: int) -> RowStatistics:
    one_hot = np.eye(classes)
    right = one_hot[expected] * (expected == predicted)[:, None]
    return RowStatistics(values=np.concatenate([right, one_hot[predicted], one_hot[expected]], axis=1))


def right_rows(rows: int, accuracy: float, seed: int) -> RowStatistics:
    return counted(np.random.default_rng(seed).random(rows) < accuracy)


def exactly(rows: int, right: int) -> RowStatistics:
    """The first `right` rows are right."""
    return counted(np.arange(rows) < right)
