"""How many test rows would settle an open verdict.

The naive formula, n = ((z_level + z_power) s / gap)^2, misses three things: several comparisons must settle at once, their
errors are correlated, and the gap itself was only estimated, on rows that happened to leave the question open. Believing
the observed gaps, verdicts settled in 41-97 % of simulated draws, mostly in too few.

So the rule itself is played through on a predictive distribution (assurance; O'Hagan, Stevens & Campbell 2005): draw the
true scores around the observed ones, draw the scores that n rows would show, apply the rule of `settling`, and find the
smallest n that is firm in ASSURANCE of the draws. DOUBT, the share of the observed scores' sampling variance that the true
scores are drawn with, was chosen by simulation (`python -m benchmarks.simulations --only settle`): of the open verdicts,
75-90 % are firm when drawn anew with the rows asked for, in most of 16 worlds of 2-5 methods and gaps of 0-5 points; the
worst were 67 % (a gap of 3 points seen on a twentieth of the rows it needs) and 94 % (a clear gap and unlucky rows).
It is a forecast: ten draws of rows ask for numbers that differ by a factor of three. With known scores (doubt=0) nothing is
left to chance but the new rows, and the share comes out as asked.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.stats import qmc

from accordeur.evidence.corrections import simultaneous_level
from accordeur.evidence.intervals import t_quantile
from accordeur.evidence.metric import Array
from accordeur.evidence.pairing import Paired
from accordeur.evidence.settling import OPEN, settled

ASSURANCE = 0.75
DOUBT = 0.7
DRAWS = 2_048  # quasi-random: plain draws are so uneven that the answer moves by a half
MIN_ROWS = 10  # below, the spread of the rows is not known well enough to plan with
MAX_ROWS = 100_000
PRECISION = 1.02


def rows_to_settle(
    paired: Paired,
    tolerance: float,
    *,
    confidence: float = 0.95,
    assurance: float = ASSURANCE,
    doubt: float = DOUBT,
    max_rows: int = MAX_ROWS,
) -> int | None:
    """Test rows in all, rounded up to two digits, at which the verdict is firm with probability `assurance`.

    `paired` holds scores where higher is better, the cheapest method first. `doubt` is the share of the observed scores'
    sampling variance that is doubted: 0 to plan with scores that are known. None below MIN_ROWS rows,
    or where even `max_rows` would not do: the best methods differ by about the tolerance, or it is 0 and they are equal.
    """
    methods = len(paired.scores)
    if paired.rows < MIN_ROWS or methods < 2:
        return None
    noise = _normal(methods) @ _root(paired.covariance)
    level = simultaneous_level(methods - 1, confidence)

    def firm(rows: float) -> float:
        half_widths = t_quantile(level, round(rows)) * paired.standard_errors(rows)
        scores = paired.scores + noise * math.sqrt(doubt + paired.rows / rows)
        return float(np.mean(settled(scores, half_widths, tolerance) != OPEN))

    if firm(max_rows) < assurance:
        return None
    low, high = float(paired.rows), float(max_rows)
    while high / low > PRECISION:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if firm(middle) >= assurance else (middle, high)
    return _two_digits_up(high)


@lru_cache(maxsize=8)
def _normal(methods: int) -> Array:
    """Standard normal draws (DRAWS, methods): always the same, else the search would chase their noise."""
    return np.asarray(qmc.MultivariateNormalQMC(mean=np.zeros(methods), rng=np.random.default_rng(0)).random(DRAWS))


def _root(covariance: Array) -> Array:
    """A symmetric root, which exists for singular covariances too (methods that agree on every row)."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def _two_digits_up(rows: float) -> int:
    step = 10 ** max(0, int(math.log10(rows)) - 1)
    return int(math.ceil(rows / step) * step)
