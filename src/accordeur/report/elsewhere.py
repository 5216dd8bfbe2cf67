"""Scores on parts of the test rows, and on other data than the test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from accordeur.errors import DataError
from accordeur.evidence.intervals import score_interval
from accordeur.evidence.metric import RowStatistics
from accordeur.evidence.pairing import unpaired_difference
from accordeur.report import scores
from accordeur.report.folder import RunFolder
from accordeur.report.scores import Scored
from accordeur.report.words import Words
from accordeur.tasks import Metric

LEAST_ROWS = 5  # fewer test rows than that have no part of their own
MOST_PARTS = 30  # values of a column; the rest stand together

Groups = Mapping[str, Sequence[Scored]]


def able(groups: Groups, primary: Metric) -> dict[str, Sequence[Scored]]:
    """The methods that have the primary metric."""
    return {name: group for name, group in groups.items() if group and all(primary.name in one.test for one in group)}


def slice_entries(folder: RunFolder, groups: Groups, primary: Metric, words: Words) -> list[dict[str, Any]]:
    """The primary metric of every method on each part of the test rows, with 95 % intervals, largest part first."""
    count = len(folder.done[0].test) if folder.done else 0
    found = []
    for column, values in (folder.about.get("slices") or {}).items():
        if len(values) != count:
            continue
        for name, places in parts(values, words):
            tables = {method: score_on(group, places, primary) for method, group in able(groups, primary).items()}
            known = {method: score for method, score in tables.items() if score}
            found.append({"column": column, "value": name, "rows": len(places), "scores": known})
    return found


def parts(values: Sequence[str | None], words: Words) -> list[tuple[str, list[int]]]:
    """(value, places of its rows), largest first; rare values pooled at the end, rows without a value after them."""
    places: dict[str | None, list[int]] = {}
    for place, value in enumerate(values):
        places.setdefault(value, []).append(place)
    missing = places.pop(None, [])
    ordered = sorted(((str(value), rows) for value, rows in places.items()), key=lambda part: (-len(part[1]), part[0]))
    shown = [part for part in ordered if len(part[1]) >= LEAST_ROWS][:MOST_PARTS]
    pooled = ordered[len(shown) :]
    others = [(words("slice_other", count=len(pooled)), sorted(row for _, rows in pooled for row in rows))]
    return [*shown, *(others if pooled else []), *([(words("slice_none"), missing)] if missing else [])]


def score_on(group: Sequence[Scored], places: Sequence[int], primary: Metric) -> scores.Values | None:
    """The primary metric on some of the test rows; None where it says nothing of them."""
    statistics = scores.stacked([one.test[primary.name] for one in group]).take(np.asarray(places))
    try:
        return scores.plain(score_interval(statistics, scores.judged(primary)))
    except DataError:
        return None


def also_entries(folder: RunFolder, groups: Groups, primary: Metric, labels: Sequence[str]) -> list[dict[str, Any]]:
    """The primary metric of every method on other data, and what it loses there against the test rows (positive: worse there).

    The two sets of rows are independent: the interval of the drop is that of an unpaired difference.
    """
    entries = []
    for name, rows in (folder.about.get("also") or {}).items():
        tables = {method: on_other(group, name, primary, labels) for method, group in able(groups, primary).items()}
        known = {method: score for method, score in tables.items() if score}
        entries += [{"name": name, "rows": int(rows), "scores": known}] if known else []
    return entries


def on_other(group: Sequence[Scored], name: str, primary: Metric, labels: Sequence[str]) -> dict[str, Any] | None:
    """Score, interval and drop of one method on one other distribution; None where a seed has no such answers."""
    tables = [scores.statistics(one.record.also.get(name, ()), [primary], labels).get(primary.name) for one in group]
    known = [table for table in tables if table is not None]
    if len(known) < len(group) or len({len(table) for table in known}) > 1:
        return None
    judged = scores.judged(primary)
    there, here = scores.stacked(known), scores.stacked([one.test[primary.name] for one in group])
    drop = lost(here, there, primary)
    return {**scores.plain(score_interval(there, judged)), "drop": drop}


def lost(here: RowStatistics, there: RowStatistics, primary: Metric) -> scores.Values:
    """How much worse it is there, with its 95 % interval."""
    better, worse = (here, there) if primary.higher_is_better else (there, here)
    found = unpaired_difference(better, worse, scores.judged(primary))
    return {"value": found.difference, "low": scores.finite(found.low), "high": scores.finite(found.high)}
