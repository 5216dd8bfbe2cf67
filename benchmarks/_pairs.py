"""Scores of one method on the same rows from several bases, and the paired differences between them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accordeur.evidence.metric import RowStatistics
from accordeur.evidence.pairing import Difference, paired_difference
from accordeur.report.folder import Recorded, read_folder
from accordeur.report.scores import judged
from accordeur.store import read_json
from accordeur.tasks import Metric, kind_of


def gains(folders: Mapping[str, Path], rivals: Mapping[str, str]) -> dict[str, Any]:
    """Per base: score with interval, cost, and the paired difference to the base that `rivals` names, all 95 %."""
    first = next(iter(folders.values()))
    about = read_folder(first).about["task"]
    metric = next(metric for metric in kind_of(about["kind"]).metrics if metric.name == about["primary_metric"])
    rows = {name: statistics(folder, metric, about["labels"]) for name, folder in folders.items()}
    found: dict[str, Any] = {}
    for name, folder in folders.items():
        run = read_json(folder / "report.json")["runs"][0]
        difference = paired_difference(rows[name], rows[rivals[name]], judged(metric)) if name != rivals[name] else None
        found[name] = {
            "score": run["scores"][metric.name],
            "cost": {key: run["cost"][key] for key in ("fit_seconds", "fit_cpu_seconds", "tokens_trained")},
            "gain": difference and bounds(difference),
        }
    return {"kind": about["kind"], "metric": metric.name, "rows": about["rows"], "bases": found}


def statistics(folder: Path, metric: Metric, labels: list[str]) -> RowStatistics:
    """What the metric needs of every test row of the one run in a folder."""
    record: Recorded = read_folder(folder).done[0]
    return RowStatistics(values=metric.statistics(record.test, labels))


def between(folder: Path, method: str, against: str) -> dict[str, Any]:
    """The paired difference of two methods of one comparison on its primary metric, 95 %."""
    found = read_folder(folder)
    about = found.about["task"]
    metric = next(metric for metric in kind_of(about["kind"]).metrics if metric.name == about["primary_metric"])
    by_method = {record.run.method: record for record in found.done}
    ours, theirs = (RowStatistics(values=metric.statistics(by_method[name].test, about["labels"])) for name in (method, against))
    difference = paired_difference(ours, theirs, judged(metric))
    return {"metric": metric.name, "rows": len(by_method[method].test), **bounds(difference)}


def bounds(found: Difference) -> dict[str, float]:
    """A difference with its interval, as the results keep it."""
    return {"value": found.difference, "low": found.low, "high": found.high}
