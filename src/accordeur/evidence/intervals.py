"""The interval of one score over test rows, and of the same method over seeds.

Two bootstrap intervals are used, chosen by simulation (`python -m benchmarks.simulations`) for coverage of 93-97 %:

* on a scale with ends (accuracy, F1): BCa (Efron 1987), its levels widened to those of Student's t and by
  sqrt(n / (n - 1)) (Hesterberg 2015). The plain percentile interval counts the bias of macro-F1 twice (91-92 % with 8
  classes and 100 rows, misses all on one side) and fails on scores near the end (67 % at 99 % accuracy and 100 rows).
* on a scale without ends (a loss): bootstrap-t on the row influences (Efron 1981; Hall 1992). A mean of skewed row losses
  needs it: percentile and BCa cover 85-92 % where this covers 94-96 %.

Both see two **pseudo rows** besides the real ones: the most favourable and the most harmful row are counted once more. It
is what "add two successes and two failures" (Agresti & Coull 1998) does for a proportion. When every row is right the
bootstrap knows no other row and its interval has width zero, which is wrong: the pseudo row then is one at the end of the
scale, and 100 right rows of 100 give 96 to 100 %, near the "rule of three".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats as distributions

from accordeur.evidence.metric import Array, Metric, RowStatistics, score
from accordeur.evidence.resampling import Resampling, influences, resampled_scores, weights

MIN_SEEDS = 5
NO_SPREAD = 1e-12  # influences below this are rounding, not rows that differ


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A score and the bounds that hold its true value with probability `level`, in the metric's own unit."""

    value: float
    low: float
    high: float
    level: float


def score_interval(
    stats: RowStatistics, metric: Metric, *, level: float = 0.95, resampling: Resampling | None = None
) -> Interval:
    """The score on all possible test rows, given these fits of the method: says nothing of other seeds.

    Without two rows, or where rows of a metric without ends don't differ at all, the bounds are the ends of the scale.
    """
    resampling = resampling or Resampling()
    value = score(stats, metric)
    influence = influences(stats, metric)
    ends = (min(metric.bounds), max(metric.bounds)) if metric.bounds else (-np.inf, np.inf)
    pseudo = _pseudo_rows(influence, value, metric)
    if stats.rows < 2 or pseudo is None:
        return Interval(value=value, low=ends[0], high=ends[1], level=level)
    if metric.bounds:
        low, high = _bca(stats, metric, np.concatenate([influence, pseudo]), level, resampling)
    else:
        low, high = _bootstrap_t(value, np.concatenate([influence, pseudo]), level, resampling)
    return Interval(value=value, low=max(ends[0], min(low, value)), high=min(ends[1], max(high, value)), level=level)


def seed_interval(values: Sequence[float], *, level: float = 0.95) -> Interval | None:
    """Student's t interval for the mean score over seeds; None below 5 seeds: seed spread not estimated."""
    if len(values) < MIN_SEEDS:
        return None
    middle = float(np.mean(values))
    half = t_quantile(level, len(values)) * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return Interval(value=middle, low=middle - half, high=middle + half, level=level)


def t_quantile(level: float, rows: int) -> float:
    """How many standard errors each way a two-sided interval of this level reaches, estimated from `rows` rows."""
    return float(distributions.t.ppf((1.0 + level) / 2.0, rows - 1))


def _pseudo_rows(influence: Array, value: float, metric: Metric) -> Array | None:
    """Influence of the most favourable and the most harmful row, kept within the scale; None where nothing is known."""
    top, bottom = float(influence.max()), float(influence.min())
    flat = top - bottom < NO_SPREAD
    if metric.bounds is None:
        return None if flat else np.array([top, bottom])
    up, down = max(metric.bounds) - value, min(metric.bounds) - value
    return np.array([up, down]) if flat else np.array([min(top, up), max(bottom, down)])


def _pseudo_counts(resampling: Resampling) -> Array:
    """How often the two pseudo rows are drawn, (resamples, 2): Poisson(1), the limit of drawing one row of n, n times."""
    random = np.random.default_rng([resampling.seed, 1])
    return random.poisson(1.0, size=(resampling.resamples, 2)).astype(np.float64)


def _bca(stats: RowStatistics, metric: Metric, influence: Array, level: float, resampling: Resampling) -> tuple[float, float]:
    """Bias-corrected and accelerated bounds; `influence` (rows + 2,) ends with the pseudo rows."""
    rows, value = stats.rows, score(stats, metric)
    real = resampled_scores([stats], metric, resampling)[:, 0]
    everything = real + _pseudo_counts(resampling) @ influence[rows:] / (rows + 2)
    below = (np.mean(real < value) + np.mean(real <= value)) / 2  # ties count half: scores of few rows are lumpy
    edge = 1.0 / resampling.resamples
    bias = float(distributions.norm.ppf(np.clip(below, edge, 1.0 - edge)))
    centred = influence - influence.mean()
    acceleration = float((centred**3).sum() / (6.0 * (centred**2).sum() ** 1.5))
    reach = t_quantile(level, rows) * (rows / (rows - 1)) ** 0.5
    low, high = np.quantile(everything, [_bca_share(bias, acceleration, side * reach) for side in (-1.0, 1.0)])
    return float(low), float(high)


def _bca_share(bias: float, acceleration: float, reach: float) -> float:
    shifted = bias + reach
    shrink = 1.0 - acceleration * shifted
    if shrink <= 0.0:  # more skew than the formula can carry: the outermost resample
        return 1.0 if reach > 0.0 else 0.0
    return float(distributions.norm.cdf(bias + shifted / shrink))


def _bootstrap_t(value: float, influence: Array, level: float, resampling: Resampling) -> tuple[float, float]:
    """value - t* SE, with t* the quantiles of (mean - 0) / SE of resampled influences (rows + 2,)."""
    total = len(influence)
    rows = total - 2
    influence = influence - influence.mean()
    both = np.stack([influence, influence**2], axis=1)
    moments = np.concatenate([weight @ both[:rows] for weight in weights(rows, resampling)])
    moments = (moments + _pseudo_counts(resampling) @ both[rows:]) / total
    variance = np.maximum(moments[:, 1] - moments[:, 0] ** 2, NO_SPREAD * both[:, 1].mean())
    studentised = moments[:, 0] / np.sqrt(variance / (total - 1))
    error = float(np.sqrt(both[:, 1].mean() / (total - 1)))
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(studentised, [tail, 1.0 - tail])
    return value - float(high) * error, value - float(low) * error
