"""What several comparisons at once do to p-values and to bounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values (Holm 1979), in the given order: reject those <= alpha and P(any false rejection) <= alpha.

    The i-th smallest of m is multiplied by m - i + 1, then made monotone and cut at 1. Valid under any dependence.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(raised, 1.0)
    return tuple(float(value) for value in adjusted)


def simultaneous_level(comparisons: int, confidence: float = 0.95) -> float:
    """The level of each of several two-sided intervals, so that all hold at once with `confidence` (Bonferroni).

    Holm has no simple two-sided bounds of its own; these agree with it in one direction: a difference whose bound at this
    level excludes zero is also rejected by Holm, never the other way round.
    """
    return 1.0 - (1.0 - confidence) / max(comparisons, 1)
