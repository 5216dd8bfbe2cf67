"""What a sweep tried, when each candidate was dropped, and how sure that was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.report.figures import Reading
from accordeur.report.folder import RunFolder
from accordeur.report.format import MISSING
from accordeur.report.views import Cell, Column, Table
from accordeur.tasks import Metric, kind_of

SURE = 0.95  # from which on a candidate counts as clearly worse

Entry = Mapping[str, Any]


def sweep_entries(folder: RunFolder) -> list[dict[str, Any]]:
    """Per method that was swept: what was chosen, and where every candidate stood when it was last judged, best first.

    Scores and differences are those on validation rows, turned so that higher is better; `share` of its training.
    """
    found: dict[str, dict[str, Any]] = {}
    for record in folder.done:
        made = record.run.plan.get("sweep")
        if made and record.run.method not in found:
            last = {
                one["candidate"]: {**one, "share": rung["share"]}
                for rung in made["rungs"]
                for one in rung["standings"]
            }  # fmt: skip
            ranked = sorted(last.values(), key=lambda one: (one["candidate"] != made["winner"], -one["share"], -one["score"]))
            kept = ("winner", "metric", "effort", "faults")
            found[record.run.method] = {"method": record.run.method, **{key: made[key] for key in kept}, "candidates": ranked}
    return list(found.values())


def sweep_tables(reading: Reading) -> list[Table]:
    """One table a method."""
    kind = kind_of(str(reading.report["task"]["kind"]))
    return [table(reading, entry, kind.metric(entry["metric"])) for entry in reading.report.get("sweeps") or []]


def table(reading: Reading, entry: Entry, metric: Metric) -> Table:
    """The candidates of one method."""
    words = reading.words
    rows = [row(reading, one, metric, won=one["candidate"] == entry["winner"]) for one in entry["candidates"]]
    for name, fault in entry["faults"].items():
        rows.append([Cell(text=name, sort=name, class_="method"), Cell(text=fault, class_="words")])
    titles = [
        words("sweep_candidate"),
        f"{words.metric(metric.name)}, {words('sweep_validation')}",
        words("sweep_share"),
        words("sweep_behind"),
        words("sweep_sure"),
    ]
    columns = [Column(title=title, numeric=place > 0) for place, title in enumerate(titles)]
    filled = [[*cells, *[Cell(text=MISSING)] * (len(columns) - len(cells))] for cells in rows]
    return Table(caption=words("sweep_table", method=entry["method"]), columns=columns, rows=filled)


def row(reading: Reading, one: Entry, metric: Metric, *, won: bool) -> list[Cell]:
    """One candidate."""
    words, numbers = reading.words, reading.numbers
    sign = 1.0 if metric.higher_is_better else -1.0
    behind = Cell(text=MISSING)
    if one["difference"] is not None:
        gap = numbers.signed(one["difference"], metric.unit)
        behind = Cell(text=gap, small=numbers.span(one["low"], one["high"], metric.unit), sort=one["difference"])
    sure = f"{numbers.number(100 * one['sure'], 1)} %" if one["sure"] is not None else MISSING
    return [
        Cell(text=one["candidate"], sort=one["candidate"], class_="method", tag=words("sweep_won") if won else ""),
        Cell(text=numbers.score(sign * one["score"], metric.unit), sort=sign * one["score"]),
        Cell(text=f"{numbers.number(100 * one['share'], 1)} %", sort=one["share"]),
        behind,
        Cell(text=sure, sort=one["sure"]),
    ]


def sweep_remark(reading: Reading) -> str:
    """How many of those that were dropped were clearly worse, and how many were not."""
    out = [one for entry in reading.report.get("sweeps") or [] for one in entry["candidates"] if not one["kept"]]
    clear = sum((one["sure"] or 0.0) >= SURE for one in out)
    return reading.words("sweep_remark", out=len(out), clear=clear, close=len(out) - clear) if out else ""
