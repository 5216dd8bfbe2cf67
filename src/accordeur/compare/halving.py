"""Successive halving (Jamieson & Talwalkar 2016): when candidates are judged, how many go on, and how sure that was."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.evidence.metric import Metric, RowStatistics
from accordeur.evidence.pairing import pair_up

SHARES = (1 / 8, 1 / 4, 1 / 2)  # of a full training, at which candidates are judged; fewer judge at the last ones only


@dataclass(frozen=True, kw_only=True)
class Rung:
    """A point at which candidates are judged: after this share of their training so many go on."""

    share: float
    keep: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a candidate stood at a rung. Score and difference are turned so that higher is better.

    difference: from the best one, on the same validation rows, with its paired 95 % interval; sure: how sure it is that the
    best one is better on all possible rows, at this point of the training (1 - one-sided p). The best one itself has none.
    """

    candidate: str
    score: float
    kept: bool
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    sure: float | None = None


def rungs(candidates: int, halving: bool) -> tuple[Rung, ...]:
    """Up to three rungs that leave one candidate; without halving a single one, at the end.

    Every rung leaves the same share, so eight candidates are 4, 2, 1; many candidates are cut faster than by half.
    """
    if not halving:
        return (Rung(share=1.0, keep=1),)
    count = min(len(SHARES), max(1, math.ceil(math.log2(candidates)))) if candidates > 1 else 0
    kept = [max(1, math.ceil(candidates ** (1 - place / count) - 1e-9)) for place in range(1, count + 1)]
    return tuple(Rung(share=share, keep=keep) for share, keep in zip(SHARES[len(SHARES) - count :], kept, strict=True))


def effort(candidates: int, steps: Sequence[Rung]) -> float:
    """What a sweep costs, the winner's whole training included, in full trainings."""
    total, alive, before = 0.0, candidates, 0.0
    for rung in steps:
        total += alive * (rung.share - before)
        alive, before = rung.keep, rung.share
    return total + alive * (1.0 - before)


def judge(statistics: Mapping[str, Any], metric: Metric, keep: int) -> list[Standing]:
    """The candidates of a rung, best first: those that go on, and how far the others are behind the best one.

    statistics: per candidate (rows, k) on the same rows; `metric` as it is, whatever its direction. Equal scores go by order.
    """
    names = list(statistics)
    paired = pair_up([RowStatistics(values=statistics[name]) for name in names], metric)
    order = sorted(range(len(names)), key=lambda place: (-metric.sign * paired.scores[place], place))
    best = order[0]
    found = []
    for rank, place in enumerate(order):
        score = metric.sign * float(paired.scores[place])
        if place == best:
            found.append(Standing(candidate=names[place], score=score, kept=True))
            continue
        gap = paired.difference(place, best)
        low, high = sorted((metric.sign * gap.low, metric.sign * gap.high))
        found.append(
            Standing(
                candidate=names[place],
                score=score,
                kept=rank < keep,
                difference=metric.sign * gap.difference,
                low=low if math.isfinite(low) else None,
                high=high if math.isfinite(high) else None,
                sure=1 - gap.p_value / 2,
            )
        )
    return found
