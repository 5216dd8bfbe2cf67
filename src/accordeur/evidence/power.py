"""How many test rows would settle an open verdict.

The naive formula, n = ((z_level + z_power) s / gap)^2, misses three things: several comparisons must settle at once, their
errors are correlated, and the gap itself was only estimated, on rows that happened to leave the question open. So the rule
itself is played through: draw true scores around the observed ones, draw the scores that n rows would show, apply the
rule of `settling`, and find the smallest n that is firm in 80 % of the draws.

How far the true scores may lie from the observed ones is the one free choice, DOUBT: a share of the sampling variance of
the observed scores. 0 believes the observed gaps (too few rows: some settings settle in 41-70 % of simulated draws); 1, the
full predictive distribution, asks for five times the rows (92-96 %). 0.2 comes nearest to 80 % over 2-5 methods and gaps of
0-10 points (`python -m benchmarks.simulations` prints the table). It stays a forecast: where the rows at hand are a
hundredth of those needed, the gaps they show are mostly noise, and fewer draws settle.
"""

from __future__ import annotations

import math

import numpy as np

from accordeur.evidence.corrections import simultaneous_level
from accordeur.evidence.intervals import t_quantile
from accordeur.evidence.metric import Array
from accordeur.evidence.pairing import Paired
from accordeur.evidence.settling import OPEN, settled

POWER = 0.8
DOUBT = 0.2
DRAWS = 1_000
MIN_ROWS = 10  # below, the spread of the rows is not known well enough to plan with
MAX_ROWS = 100_000
PRECISION = 1.02


def rows_to_settle(
    paired: Paired, tolerance: float, *, confidence: float = 0.95, doubt: float = DOUBT, max_rows: int = MAX_ROWS
) -> int | None:
    """Test rows in all, rounded up to two digits, at which the verdict is firm with power 80 %.

    `paired` holds scores where higher is better, the cheapest method first. None below MIN_ROWS rows, or where even
    `max_rows` would not do: the best methods differ by about the tolerance, or the tolerance is 0 and they are equal.
    """
    if paired.rows < MIN_ROWS or len(paired.scores) < 2:
        return None
    if _power(paired, max_rows, tolerance, confidence, doubt) < POWER:
        return None
    low, high = float(paired.rows), float(max_rows)
    while high / low > PRECISION:
        middle = math.sqrt(low * high)
        if _power(paired, middle, tolerance, confidence, doubt) < POWER:
            low = middle
        else:
            high = middle
    return _two_digits_up(high)


def _power(paired: Paired, rows: float, tolerance: float, confidence: float, doubt: float) -> float:
    """The share of draws in which the verdict is firm with this many test rows."""
    methods = len(paired.scores)
    level = simultaneous_level(methods - 1, confidence)
    half_widths = t_quantile(level, round(rows)) * paired.standard_errors(rows)
    spread = _root(paired.covariance) * math.sqrt(doubt + paired.rows / rows)
    # The same draws for every number of rows, else the search would chase their noise.
    noise = np.random.default_rng(0).standard_normal((DRAWS, methods))
    return float(np.mean(settled(paired.scores + noise @ spread, half_widths, tolerance) != OPEN))


def _root(covariance: Array) -> Array:
    """A symmetric root, which exists for singular covariances too (methods that agree on every row)."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def _two_digits_up(rows: float) -> int:
    step = 10 ** max(0, int(math.log10(rows)) - 1)
    return int(math.ceil(rows / step) * step)
