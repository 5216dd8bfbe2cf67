"""Every method on every metric, with intervals: what the runs of a folder amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from accordeur.errors import NotApplicable
from accordeur.report._evidence import Interval, Totals, gap_interval, interval, seed_interval
from accordeur.report.folder import Recorded
from accordeur.tasks import Metric

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
    """Per metric that applies, the sums of each row, (rows, k)."""
    found: dict[str, Totals] = {}
    for metric in metrics if answers else ():
        try:
            found[metric.name] = metric.statistics(answers, labels)
        except NotApplicable:
            continue
    return found


def score_table(group: Sequence[Scored], metrics: Sequence[Metric]) -> dict[str, dict[str, float]]:
    """Each metric that every run of the group has, with its 95 % interval over test rows; seeds are averaged."""
    return {
        metric.name: plain(interval([scored.test[metric.name] for scored in group], metric.finish))
        for metric in metrics
        if group and all(metric.name in scored.test for scored in group)
    }


def overfitting(group: Sequence[Scored], primary: Metric) -> dict[str, Any] | None:
    """The primary metric on a sample of the train rows, on the test rows, and their difference with its interval."""
    if not group or not all(primary.name in scored.train and primary.name in scored.test for scored in group):
        return None
    train = [scored.train[primary.name] for scored in group]
    test = [scored.test[primary.name] for scored in group]
    gap = gap_interval(train, test, primary.finish)
    return {
        "metric": primary.name,
        "train": interval(train, primary.finish).value,
        "test": interval(test, primary.finish).value,
        "gap": gap.value,
        "low": gap.low,
        "high": gap.high,
        "train_rows": len(train[0]),
    }


def forgetting(records: Sequence[Recorded]) -> dict[str, Any] | None:
    """The change of a general ability, averaged over seeds; None where no run measured one."""
    found = [completed(record.run.forgetting) for record in records if record.run.forgetting]
    if not found:
        return None
    averaged = {
        key: sum(one[key] for one in found) / len(found)
        for key in ("before", "after", "change", "low", "high")
        if all(isinstance(one.get(key), int | float) for one in found)
    }
    return {**found[0], **averaged}


def completed(forgetting: Mapping[str, Any]) -> dict[str, Any]:
    """The record of one run with the change worked out where only before and after were written."""
    values = dict(forgetting)
    if "change" not in values and all(isinstance(values.get(key), int | float) for key in ("before", "after")):
        values["change"] = values["after"] - values["before"]
    return values


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
    return {"values": values, "estimated": found is not None, **(plain(found) if found else {"value": None, "low": None, "high": None})}


def plain(found: Interval) -> dict[str, float]:
    """An interval as JSON-ready data."""
    return {"value": float(found.value), "low": float(found.low), "high": float(found.high)}
