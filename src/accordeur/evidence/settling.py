"""The rule of the verdict on plain arrays, so that the power calculation plays through the very rule that decides.

Let t be the tolerance, higher be better, and the methods be ordered from the cheapest. A method is *within* if its lower
bound against **every** other method is at least -t, and *out* if its upper bound against the best observed one is below
-t. The verdict goes to the first method that is not out, provided it is within; else it is open.

How often is a firm verdict wrong? Let C be the cheapest method truly within t of the truly best one, J. Crowning a method
cheaper than C needs its lower bound against J (a fixed method, whichever was best on these rows: no winner's curse) to be
wrong. Crowning a dearer one needs C to be out, so one of C's upper bounds against the others to be wrong. With m methods
that is at most m - 1 wrong bounds of each kind, so two-sided intervals at the level 1 - 0.05 / (m - 1) keep the two together
at 5 %. (Compare Hsu 1981, multiple comparisons with the best, which needs no more than the m - 1 either.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from accordeur.evidence.metric import Array

OPEN = -1


def settled(scores: Array, half_widths: Array, tolerance: float) -> npt.NDArray[np.intp]:
    """The number of the method the verdict names, or OPEN; shape (draws,).

    scores (draws, methods), higher better, cheapest first; half_widths (methods, methods) of the bounds of differences.
    """
    difference_DMM = scores[:, :, None] - scores[:, None, :]
    within_DM = (difference_DMM - half_widths).min(
        axis=2, where=~np.eye(scores.shape[1], dtype=bool), initial=np.inf
    ) >= -tolerance
    draws = np.arange(len(scores))
    best = scores.argmax(axis=1)
    out_DM = difference_DMM[draws, :, best] + half_widths[best] < -tolerance
    first = (~out_DM).argmax(axis=1)  # the best observed is never out, so there is always one
    return np.where(within_DM[draws, first], first, OPEN)
