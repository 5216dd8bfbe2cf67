"""The verdict: use this method, do not fine-tune, or cannot tell; absence of evidence never wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from accordeur.errors import DataError
from accordeur.evidence.corrections import holm, simultaneous_level
from accordeur.evidence.intervals import t_quantile
from accordeur.evidence.metric import Metric, RowStatistics, Unit
from accordeur.evidence.pairing import Paired, pair_up
from accordeur.evidence.power import MAX_ROWS, rows_to_settle
from accordeur.evidence.resampling import Resampling
from accordeur.evidence.settling import OPEN, settled
from accordeur.evidence.wording import Language, explain

Decision = Literal["use", "do-not-fine-tune", "cannot-tell"]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One method as the verdict sees it. `height` is its place on the ladder and breaks ties of the cost."""

    method: str
    trained: bool
    fit_cpu_seconds: float
    height: int
    statistics: RowStatistics


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """`method` minus `against` where higher is better (a loss has its sign turned), in the unit of the metric.

    low and high hold for all comparisons of a verdict at once; p_adjusted is Holm's over the comparisons listed.
    """

    method: str
    against: str
    difference: float
    low: float
    high: float
    p_value: float
    p_adjusted: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What to do, the evidence for it and the plain words; plain data throughout, so it can be stored and said again.

    method: the one to use (or, where nothing should be fine-tuned, the untrained one); None where it cannot be told.
    leans_to, undecided, rows_needed: only where it cannot be told. The cheapest method whose observed score is within the
    tolerance of the best; the pair that is open; the test rows **in all** (not on top) that would settle it (see `power`), None
    where that can't be estimated (the reasons say why).
    comparisons: every other method against the best observed one, cheapest first; then the open pair if not among them.
    scores: the observed score of each method in the unit of the metric, cheapest first.
    fewest_seeds: of the trained methods, None without any.
    """

    decision: Decision
    method: str | None
    leans_to: str | None
    reasons: tuple[str, ...]
    rows_needed: int | None
    comparisons: tuple[Comparison, ...]
    undecided: tuple[str, str] | None
    best: str
    scores: tuple[tuple[str, float], ...]
    metric: str
    unit: Unit
    tolerance: float
    confidence: float
    rows: int
    max_rows: int
    fewest_seeds: int | None


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """How the verdict is reached: the resampling, the confidence that a firm verdict is right, the most rows to ask for."""

    resampling: Resampling = field(default_factory=Resampling)
    confidence: float = 0.95
    max_rows: int = MAX_ROWS


def decide(
    candidates: Sequence[Candidate], metric: Metric, tolerance: float, *, ruling: Ruling | None = None, language: Language = "en"
) -> Verdict:
    """The verdict over methods scored on the same test rows; `tolerance` >= 0 in the unit of the metric (0.01 = 1 point).

    The rule, and why a firm verdict is wrong at most once in twenty, are in `settling`. It speaks of these fits on all
    possible test rows, not of other seeds. A single method is never crowned: there is nothing to compare it with.
    Raises DataError: no candidate, a name twice, different test rows, a negative tolerance.
    """
    ruling = ruling or Ruling()
    _check(candidates, tolerance)
    ordered = sorted(candidates, key=lambda one: (one.fit_cpu_seconds, one.height, one.method))
    names = [one.method for one in ordered]
    paired = _higher_better(pair_up([one.statistics for one in ordered], metric, ruling.resampling), metric)
    level = simultaneous_level(len(ordered) - 1, ruling.confidence)
    crown, pair = _rule(paired, tolerance, level)
    crowned = ordered[crown] if crown != OPEN else None
    leans = int(np.flatnonzero(paired.scores >= paired.scores.max() - tolerance)[0])
    verdict = Verdict(
        decision="cannot-tell" if crowned is None else "use" if crowned.trained else "do-not-fine-tune",
        method=crowned.method if crowned else None,
        leans_to=None if crowned else names[leans],
        reasons=(),
        rows_needed=None if crowned else _rows_needed(paired, tolerance, ruling),
        comparisons=_comparisons(paired, names, level, pair),
        undecided=(names[pair[0]], names[pair[1]]) if pair else None,
        best=names[int(paired.scores.argmax())],
        scores=tuple(zip(names, (metric.sign * paired.scores).tolist(), strict=True)),
        metric=metric.name,
        unit=metric.unit,
        tolerance=tolerance,
        confidence=ruling.confidence,
        rows=paired.rows,
        max_rows=ruling.max_rows,
        fewest_seeds=min((one.statistics.seeds for one in ordered if one.trained), default=None),
    )
    return replace(verdict, reasons=explain(verdict, language))


def _check(candidates: Sequence[Candidate], tolerance: float) -> None:
    names = [one.method for one in candidates]
    if not names or len(set(names)) != len(names):
        raise DataError(
            f"the methods to judge are {names or 'none'}; expected at least one, each once",
            hint="give the seeds of one method as one candidate",
        )
    if not tolerance >= 0.0:
        raise DataError(f"the tolerance is {tolerance}; expected 0 or more", hint="0.01 means 1 point of accuracy or F1")


def _higher_better(paired: Paired, metric: Metric) -> Paired:
    return replace(paired, scores=metric.sign * paired.scores)


def _rule(paired: Paired, tolerance: float, level: float) -> tuple[int, tuple[int, int] | None]:
    """Who is crowned (OPEN: nobody), and where nobody is, the open pair: (the cheapest not out, its strongest rival)."""
    if len(paired.scores) == 1 or paired.rows < 2:
        return OPEN, None
    half_widths = t_quantile(level, paired.rows) * paired.standard_errors()
    crown = int(settled(paired.scores[None], half_widths, tolerance)[0])
    if crown != OPEN:
        return crown, None
    best = int(paired.scores.argmax())
    is_out = paired.scores - paired.scores[best] + half_widths[best] < -tolerance
    contender = int((~is_out).argmax())
    low = paired.scores[contender] - paired.scores - half_widths[contender]
    low[contender] = np.inf
    return OPEN, (contender, int(low.argmin()))


def _rows_needed(paired: Paired, tolerance: float, ruling: Ruling) -> int | None:
    return rows_to_settle(paired, tolerance, confidence=ruling.confidence, max_rows=ruling.max_rows)


def _comparisons(paired: Paired, names: Sequence[str], level: float, pair: tuple[int, int] | None) -> tuple[Comparison, ...]:
    best = int(paired.scores.argmax())
    pairs = [(other, best) for other in range(len(names)) if other != best]
    if pair and pair not in pairs and pair[::-1] not in pairs:
        pairs.append(pair)
    differences = [paired.difference(a, b, level) for a, b in pairs]
    adjusted = holm([found.p_value for found in differences])
    return tuple(
        Comparison(
            method=names[a],
            against=names[b],
            difference=found.difference,
            low=found.low,
            high=found.high,
            p_value=found.p_value,
            p_adjusted=p_adjusted,
        )
        for (a, b), found, p_adjusted in zip(pairs, differences, adjusted, strict=True)
    )
