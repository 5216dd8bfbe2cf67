"""Graded labels of kind `classify`: a number for a text or a pair of texts, and how well numbers follow numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from accordeur.adapted import FloatArray, Prediction
from accordeur.example import Example
from accordeur.run import Answered
from accordeur.tasks._kind import Metric, Totals, column, ratio

NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
RULE = "Rate {% if text_pair %}how alike the two texts are{% else %}the text{% endif %} with one number"
ASK = "Text: {{ text }}\n{% if text_pair %}Second text: {{ text_pair }}\n{% endif %}Number:"
GRADED_PROMPTS: Mapping[str, str] = {
    "bare": "{{ text }}\n{% if text_pair %}{{ text_pair }}\n{% endif %}Number:",
    "role-task-format": f"You are a careful annotator. {RULE}. Answer with the number only.\n\n{{{{ shots }}}}{ASK}",
}


def is_graded(examples: Sequence[Example]) -> bool:
    """Whether what is expected is a number."""
    return any(isinstance(example.expected, int | float) and not isinstance(example.expected, bool) for example in examples)


def decode_grade(answers: Sequence[FloatArray]) -> Prediction:
    """The mean over the windows of a row."""
    return Prediction(output=float(np.mean([float(np.asarray(answer).reshape(-1)[0]) for answer in answers])))


def read_grade(text: str) -> float | None:
    """The first number of a written answer, with a decimal point or comma; None where there is none."""
    found = NUMBER.search(text)
    return float(found.group().replace(",", ".")) if found else None


def grades(answered: Sequence[Answered]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(expected, given), (rows,) each. An answer without a number counts as the mean of the others: it tells nothing."""
    expected = np.asarray([float(answer.expected) for answer in answered], np.float64)
    given = np.asarray([as_grade(answer.output) for answer in answered], np.float64)
    known = np.isfinite(given)
    return expected, np.where(known, given, given[known].mean() if known.any() else 0.0)


def as_grade(value: Any) -> float:
    """An answer as a number, NaN where it is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")


def moments(expected: npt.NDArray[np.float64], given: npt.NDArray[np.float64]) -> Totals:
    """1, x, y, x², y², xy of each row, (rows, 6). Both are moved to their mean first, which a correlation doesn't see."""
    x, y = expected - expected.mean(), given - given.mean()
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)


def correlation(totals: Totals) -> Totals:
    """Pearson's r of `moments`, 0 where either side is constant."""
    count, x, y, xx, yy, xy = np.moveaxis(totals, -1, 0)
    count = np.maximum(count, 1)
    spread_x, spread_y = xx - x * x / count, yy - y * y / count
    flat = (spread_x <= 1e-12 * np.maximum(xx, 1e-300)) | (spread_y <= 1e-12 * np.maximum(yy, 1e-300))
    below = np.sqrt(np.where(flat, 1.0, spread_x * spread_y))
    return np.asarray(np.where(flat, 0.0, np.clip((xy - x * y / count) / below, -1.0, 1.0)))


def pearson_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Moments of the grades."""
    return moments(*grades(answered))


def spearman_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Moments of the ranks, ties at their mean rank.

    Ranks are taken once over all rows, so that a resampling of rows weighs them and does not rank anew: exact on the rows
    themselves, and as good as a new ranking for an interval once there are some tens of rows.
    """
    expected, given = grades(answered)
    return moments(rankdata(expected), rankdata(given))


def error_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """How far each answer is from the grade."""
    expected, given = grades(answered)
    return column(np.abs(expected - given))


GRADED_METRICS = (
    Metric(name="pearson", statistics=pearson_statistics, finish=correlation),
    Metric(name="spearman", statistics=spearman_statistics, finish=correlation),
    Metric(name="mae", statistics=error_statistics, finish=ratio, higher_is_better=False, unit="score", tolerance=0.1),
)
