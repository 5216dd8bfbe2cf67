"""Seeded resampling of test rows: the same rows for every method and every seed, which is what pairs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from accordeur.errors import DataError
from accordeur.evidence.metric import Array, Metric, RowStatistics, finished

CHUNK_RESAMPLES = 500
CHUNK_CELLS = 4_000_000  # weights held at once: 32 MB, whatever the number of rows
KEPT_CELLS = 40_000_000  # draws are kept for the next score on as many rows where they take at most 40 MB
Counts = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """How often the rows are drawn again, and from which seed."""

    resamples: int = 10_000
    seed: int = 0


def weights(rows: int, resampling: Resampling) -> Iterator[Array]:
    """How often each row is drawn in each resample, in chunks of shape (some resamples, rows); each line sums to `rows`.

    The draws depend on `rows`, `resamples` and `seed` only (not on the chunks), so methods resampled one after the other
    see the same rows.
    """
    few = rows * resampling.resamples <= KEPT_CELLS
    for counts in kept(rows, resampling) if few else drawn(rows, resampling):
        yield counts.astype(np.float64)


@lru_cache(maxsize=2)
def kept(rows: int, resampling: Resampling) -> tuple[Counts, ...]:
    """The draws of a few rows, made once for all methods, seeds and metrics: drawing costs more than scoring."""
    return tuple(drawn(rows, resampling))


def drawn(rows: int, resampling: Resampling) -> Iterator[Counts]:
    """The draws themselves, a byte each: no row is drawn more than 255 times, be there fewer rows than that or more."""
    random = np.random.default_rng(resampling.seed)
    step = max(1, min(CHUNK_RESAMPLES, CHUNK_CELLS // rows))
    for start in range(0, resampling.resamples, step):
        count = min(step, resampling.resamples - start)
        places = random.integers(rows, size=(count, rows)) + np.arange(count)[:, None] * rows
        yield np.bincount(places.ravel(), minlength=count * rows).reshape(count, rows).astype(np.uint8)


def same_rows(methods: Sequence[RowStatistics]) -> int:
    """The number of rows all of them were scored on; raises DataError where they differ."""
    found = sorted({stats.rows for stats in methods})
    if len(found) != 1:
        raise DataError(
            f"methods were scored on different numbers of test rows: {', '.join(map(str, found))}; expected the same rows",
            hint="score every method on every test row before comparing them",
        )
    return found[0]


def resampled_scores(methods: Sequence[RowStatistics], metric: Metric, resampling: Resampling) -> Array:
    """Scores (resamples, methods): of every method on the same resampled rows, averaged over the seeds of the method.

    Row b is what `score` gives on the rows drawn in resample b. Cost: one (resamples, rows) @ (rows, k) product a seed.
    """
    rows = same_rows(methods)
    chunks = []
    for weight in weights(rows, resampling):
        totals = [np.stack([weight @ seed for seed in stats.values]) for stats in methods]
        chunks.append(np.stack([finished(total, metric).mean(axis=0) for total in totals], axis=-1))
    return np.concatenate(chunks)


def influences(stats: RowStatistics, metric: Metric) -> Array:
    """How far each row pulls the score from its mean, shape (rows,), by leaving it out (jackknife); they sum to 0.

    For a mean they are value - mean exactly. Their variance over `rows` estimates the variance of the score.
    """
    if stats.rows == 1:
        return np.zeros(1)
    totals = stats.values.sum(axis=1, keepdims=True)
    without = finished(totals - stats.values, metric).mean(axis=0)
    return np.asarray((stats.rows - 1) * (without.mean() - without))
