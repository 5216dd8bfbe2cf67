"""Every method on every metric, with intervals: what the runs of a folder amount to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.errors import NotApplicable
from accordeur.evidence import metric as evidence
from accordeur.evidence.intervals import Interval, score_interval, seed_interval
from accordeur.evidence.metric import RowStatistics
from accordeur.report.folder import Recorded
from accordeur.tasks import Metric

Totals = npt.NDArray[np.float64]
Values = dict[str, float | None]

COST_FIELDS = (
    "fit_seconds",
    "fit_cpu_seconds",
    "peak_memory_bytes",
    "base_bytes",
    "trainable_parameters",
    "tokens_trained",
    "artifact_bytes",
    "predict_ms_per_row",
)
CORRELATIONS = ("pearson", "spearman")  # the shares that can be negative
STATUS_ORDER = ("done", "interrupted", "failed", "skipped")


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A recorded run with the statistics of every metric that applies to it, each (rows, k)."""

    record: Recorded
    test: Mapping[str, Totals]
    train: Mapping[str, Totals]


def score_run(record: Recorded, metrics: Sequence[Metric], labels: Sequence[str]) -> Scored:
    """The statistics of one run; a metric that its answers can't give is left out."""
    return Scored(record=record, test=statistics(record.test, metrics, labels), train=statistics(record.train, metrics, labels))


def statistics(answers: Sequence[Any], metrics: Sequence[Metric], labels: Sequence[str]) -> dict[str, Totals]:
    """Per metric that applies and is finite on every row, the sums of each row, (rows, k); metrics share them where they can."""
    made = {function: applied(function, answers, labels) for function in {metric.statistics for metric in metrics} if answers}
    tables = ((metric.name, made.get(metric.statistics)) for metric in metrics)
    return {name: table for name, table in tables if table is not None and np.isfinite(table).all()}


def applied(
    function: Callable[[Sequence[Any], Sequence[str]], Totals], answers: Sequence[Any], labels: Sequence[str]
) -> Totals | None:
    """The sums of each row, or None where the answers lack what they need."""
    try:
        return function(answers, labels)
    except NotApplicable:
        return None


def judged(metric: Metric, name: str = "") -> evidence.Metric:
    """A metric of a kind as the evidence knows it; shares have ends, losses have none."""
    bounds = ((-1.0, 1.0) if metric.name in CORRELATIONS else (0.0, 1.0)) if metric.unit == "points" else None
    return evidence.Metric(
        name=name or metric.name, finish=metric.finish, higher_is_better=metric.higher_is_better, unit=metric.unit, bounds=bounds
    )


def stacked(tables: Sequence[Totals]) -> RowStatistics:
    """The same rows by several seeds."""
    return RowStatistics(values=np.stack(tables))


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """Intervals of groups of runs, each worked out once: a method with one seed has those of its run."""

    known: dict[tuple[str, ...], Interval] = field(default_factory=dict)

    def test(self, group: Sequence[Scored], metric: Metric) -> Interval:
        """The mean over seeds on the test rows, with its 95 % interval over rows."""
        return self._of([scored.test[metric.name] for scored in group], metric, ("test", *names(group)))

    def train(self, group: Sequence[Scored], metric: Metric) -> Interval:
        """The same on the sample of the train rows."""
        return self._of([scored.train[metric.name] for scored in group], metric, ("train", *names(group)))

    def _of(self, tables: Sequence[Totals], metric: Metric, key: tuple[str, ...]) -> Interval:
        whole = (metric.name, *key)
        if whole not in self.known:
            self.known[whole] = score_interval(stacked(tables), judged(metric))
        return self.known[whole]


def names(group: Sequence[Scored]) -> tuple[str, ...]:
    """The names of some runs."""
    return tuple(scored.record.run.name for scored in group)


def score_table(group: Sequence[Scored], metrics: Sequence[Metric], intervals: Intervals) -> dict[str, Values]:
    """Each metric that every run of the group has, with its 95 % interval over test rows; seeds are averaged."""
    return {
        metric.name: plain(intervals.test(group, metric))
        for metric in metrics
        if group and all(metric.name in scored.test for scored in group)
    }


def overfitting(group: Sequence[Scored], primary: Metric, intervals: Intervals) -> dict[str, Any] | None:
    """The primary metric on a sample of the train rows, on the test rows, and train minus test with its interval.

    The two sets of rows are independent, so the interval of the difference follows from those of the two scores
    (Zou & Donner 2008: the distances to the bounds add up as squares).
    """
    if not group or not all(primary.name in scored.train and primary.name in scored.test for scored in group):
        return None
    if len({len(scored.train[primary.name]) for scored in group}) > 1:
        return None  # seeds with samples of different sizes have no common rows to average over
    train, test = intervals.train(group, primary), intervals.test(group, primary)
    gap = train.value - test.value
    below = float(np.hypot(train.value - train.low, test.high - test.value))
    above = float(np.hypot(train.high - train.value, test.value - test.low))
    return {
        "metric": primary.name,
        "train": train.value,
        "test": test.value,
        "gap": gap,
        "low": finite(gap - below),
        "high": finite(gap + above),
        "train_rows": len(group[0].train[primary.name]),
    }


def forgetting(records: Sequence[Recorded]) -> dict[str, Any] | None:
    """What adapting cost in general abilities, averaged over seeds; None where no run measured it.

    `change` is what was lost, positive where the base could do more. `retain` holds the same for the user's own ability.
    """
    found = [record.run.forgetting for record in records if record.run.forgetting]
    if not found:
        return None
    general = averaged(found)
    own = [one["retain"] for one in found if isinstance(one.get("retain"), Mapping)]
    return {**general, **({"retain": averaged(own)} if own else {})}


def averaged(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The means over seeds of the numbers that all of them have; the rest as the first has it.

    The seeds were measured on the same rows, so their errors move together, and a mean of bounds is an honest bound.
    """
    keys = ("before", "after", "change", "low", "high")
    numbers = {
        key: sum(float(one[key]) for one in records) / len(records)
        for key in keys
        if all(isinstance(one.get(key), int | float) for one in records)
    }
    return {key: value for key, value in {**records[0], **numbers}.items() if key != "retain"}


def cost(records: Sequence[Recorded]) -> dict[str, float]:
    """What a method costs: means over its runs, and the highest of their memory peaks."""
    costs = [asdict(record.run.cost) for record in records]
    means = {key: sum(one[key] for one in costs) / len(costs) for key in COST_FIELDS}
    return {**means, "peak_memory_bytes": max(one["peak_memory_bytes"] for one in costs)}


def money(cost_: Mapping[str, float], price_per_hour: float | None) -> dict[str, float] | None:
    """The price of fitting once and of a thousand answers, in the currency of the price per hour."""
    if price_per_hour is None:
        return None
    return {
        "fit": cost_["fit_seconds"] / 3600 * price_per_hour,
        "per_1000_answers": cost_["predict_ms_per_row"] / 3600 * price_per_hour,  # ms a row = seconds a thousand rows
    }


def seed_spread(group: Sequence[Scored], primary: Metric) -> dict[str, Any]:
    """The primary metric of each seed, and the t interval of their mean from five seeds on."""
    values = [float(primary.finish(scored.test[primary.name].sum(axis=0))) for scored in group if primary.name in scored.test]
    found = seed_interval(values)
    nothing = {"value": None, "low": None, "high": None}
    return {"values": values, "estimated": found is not None, **(plain(found) if found else nothing)}


def plain(found: Interval) -> Values:
    """An interval as JSON-ready data; an end that is not known is None."""
    return {"value": float(found.value), "low": finite(found.low), "high": finite(found.high)}


def finite(value: float) -> float | None:
    """A number that JSON can hold, or None."""
    return float(value) if np.isfinite(value) else None
