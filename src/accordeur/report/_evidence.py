"""Placeholder of the evidence that a report rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Totals = npt.NDArray[np.float64]
Finish = Callable[[Totals], Totals]
RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class Interval:
    value: float
    low: float
    high: float


def draws(statistics: Sequence[Totals], finish: Finish) -> Totals:
    rows = len(statistics[0])
    weights = np.random.default_rng(0).multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES).astype(np.float64)
    return np.mean([finish(weights @ table) for table in statistics], axis=0)


def point(statistics: Sequence[Totals], finish: Finish) -> float:
    return float(np.mean([finish(table.sum(0)) for table in statistics]))


def interval(statistics: Sequence[Totals], finish: Finish) -> Interval:
    low, high = np.quantile(draws(statistics, finish), [0.025, 0.975])
    return Interval(value=point(statistics, finish), low=float(low), high=float(high))


def gap_interval(train: Sequence[Totals], test: Sequence[Totals], finish: Finish) -> Interval:
    rng = np.random.default_rng(1)
    value = point(train, finish) - point(test, finish)
    low, high = np.quantile(rng.permutation(draws(train, finish)) - draws(test, finish), [0.025, 0.975])
    return Interval(value=value, low=float(low), high=float(high))


def seed_interval(values: Sequence[float]) -> Interval | None:
    from scipy import stats

    if len(values) < 5:
        return None
    mean, half = float(np.mean(values)), float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5)
    return Interval(value=mean, low=mean - half, high=mean + half)


@dataclass(frozen=True, kw_only=True)
class Contender:
    method: str
    statistics: tuple[Totals, ...]
    seconds: float
    height: int
    trained: bool


def judge(contenders: Sequence[Contender], metric: Any, tolerance: float) -> dict[str, Any]:
    sign = 1.0 if metric.higher_is_better else -1.0
    best = max(contenders, key=lambda c: sign * point(c.statistics, metric.finish))
    order = sorted(contenders, key=lambda c: (c.seconds, c.height))
    comparisons = []
    for one in order:
        if one is best:
            continue
        spread = draws(one.statistics, metric.finish) - draws(best.statistics, metric.finish)
        low, high = np.quantile(spread, [0.005, 0.995])
        difference = point(one.statistics, metric.finish) - point(best.statistics, metric.finish)
        p = float(min(1.0, 2 * min((spread <= 0).mean(), (spread >= 0).mean()) + 1 / RESAMPLES))
        comparisons.append(
            {"method": one.method, "against": best.method, "difference": difference, "low": float(low), "high": float(high), "p_adjusted": p}
        )
    by = {c["method"]: c for c in comparisons}
    decision, chosen, pair = "cannot-tell", None, None
    for one in order:
        worst = by[one.method]["low"] if one is not best and sign > 0 else -by[one.method]["high"] if one is not best else 0.0
        top = by[one.method]["high"] if one is not best and sign > 0 else -by[one.method]["low"] if one is not best else 0.0
        if worst >= -tolerance:
            decision, chosen = ("use" if one.trained else "do-not-fine-tune"), one.method
            break
        if top >= -tolerance:
            pair = [one.method, best.method]
            break
    return {
        "decision": decision, "method": chosen, "leans_to": chosen or best.method, "reasons": ["placeholder"],
        "rows_needed": None if chosen else 900, "undecided": pair, "comparisons": comparisons,
    }
