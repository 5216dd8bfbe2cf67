"""A metric as a function of summed row statistics, which is what makes exact resampling one matrix product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from accordeur.errors import DataError

Array = npt.NDArray[np.float64]
Finish = Callable[[Array], Array]
Unit = Literal["points", "nats", "bits", "score"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """How the sums of row statistics become one score.

    `finish` takes (weighted) sums over rows, shape (..., k), and gives scores, shape (...). It must be finite for the
    sums of any resample of the rows (a kind says what 0/0 means for it). `unit` is how people read the score: "points"
    are shown times 100, the others as they are, a "score" without a word for its unit. `bounds` are the ends of the scale,
    worst and best possible score in any order (None: no ends, as for a loss); all intervals stay within them.
    """

    name: str
    finish: Finish
    higher_is_better: bool = True
    unit: Unit = "points"
    bounds: tuple[float, float] | None = (0.0, 1.0)

    @property
    def sign(self) -> float:
        """+1 where higher is better, -1 where lower is better: multiply to make higher better."""
        return 1.0 if self.higher_is_better else -1.0


@dataclass(frozen=True, kw_only=True)
class RowStatistics:
    """What a metric needs to know of every test row: `values`, float (seeds, rows, k); (rows, k) means one seed.

    Row i must be the same test row for every method that is compared. Raises DataError on anything that is not finite.
    """

    values: Array

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        if values.ndim == 2:
            values = values[None]
        if values.ndim != 3 or not values.size:
            raise DataError(
                f"row statistics have the shape {values.shape}; expected (rows, k) or (seeds, rows, k), none of them 0",
                hint="score at least one test row",
            )
        if faulty := int(np.count_nonzero(~np.isfinite(values).all(axis=(0, 2)))):
            raise DataError(
                f"the statistics of {faulty} of {values.shape[1]} rows are not finite numbers",
                hint="look at the predictions of those rows: a loss that is NaN or infinite can't be averaged",
            )
        object.__setattr__(self, "values", values)

    @property
    def seeds(self) -> int:
        """How many fits of the method were scored."""
        return int(self.values.shape[0])

    @property
    def rows(self) -> int:
        """How many test rows were scored."""
        return int(self.values.shape[1])

    def take(self, rows: npt.NDArray[np.intp]) -> RowStatistics:
        """The statistics of these rows only, in this order."""
        return RowStatistics(values=self.values[:, rows])


def seed_scores(stats: RowStatistics, metric: Metric) -> Array:
    """The score of each seed, shape (seeds,)."""
    return finished(stats.values.sum(axis=1), metric)


def score(stats: RowStatistics, metric: Metric) -> float:
    """The score of a method: the mean over its seeds of the score of each, not the score of pooled rows."""
    return float(seed_scores(stats, metric).mean())


def finished(totals: Array, metric: Metric) -> Array:
    """Scores (...) of totals (..., k); raises DataError where the metric is undefined on them."""
    scores = np.asarray(metric.finish(totals), dtype=np.float64)
    if not np.isfinite(scores).all():
        raise DataError(
            f"{metric.name} is not a finite number on some selection of the test rows",
            hint="use more test rows, or leave out rows without anything to score",
        )
    return scores


def mean(totals: Array) -> Array:
    """Sum over count: accuracy (k = 2: right, 1), NLL per token (k = 2: summed nats, tokens). NaN where the count is 0."""
    count = totals[..., 1]
    return np.divide(totals[..., 0], count, out=np.full_like(count, np.nan), where=count > 0)


def macro_f1(totals: Array) -> Array:
    """Mean F1 over classes; k = 3C: per class right, then predicted, then expected counts.

    F1 = 2 right / (predicted + expected), equal to 2PR / (P + R). A class neither predicted nor expected in a selection
    of rows is left out of the mean, as if it were not part of the task there.
    """
    right, predicted, expected = np.split(totals, 3, axis=-1)
    either = predicted + expected
    f1 = np.divide(2 * right, either, out=np.zeros_like(either), where=either > 0)
    return np.asarray(f1.sum(axis=-1) / np.maximum(np.count_nonzero(either, axis=-1), 1))
