"""Quality against train rows, and whether more of them are shown to help."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accordeur.evidence.metric import score
from accordeur.evidence.pairing import paired_difference
from accordeur.report import scores
from accordeur.report.folder import RunFolder
from accordeur.report.format import Formatter
from accordeur.report.scores import Intervals, Scored
from accordeur.report.words import Words
from accordeur.tasks import Metric

MOST_GROWTH = 10  # times the rows there are: further than that a straight line is not drawn
DIGITS = 2  # of a number of rows to collect

Curves = dict[str, dict[int, list[Scored]]]


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What the last step up in train rows brought a method: positive is better; `more`: rows for another tolerance."""

    method: str
    before: int
    rows: int
    gain: float
    low: float
    high: float
    more: int | None


def whole(folder: RunFolder) -> RunFolder:
    """The folder without the runs that saw a part of the train rows."""
    return replace(folder, records=tuple(record for record in folder.records if record.run.train_rows is None))


def size_curves(folder: RunFolder, groups: Mapping[str, Sequence[Scored]], primary: Metric, labels: Sequence[str]) -> Curves:
    """For each method with smaller runs, the scored runs by number of train rows; all rows last. `groups`: the full-size runs."""
    found: Curves = {}
    for record in folder.done:
        if record.run.train_rows is None:
            continue
        table = scores.statistics(record.test, [primary], labels)
        if primary.name in table:
            sizes = found.setdefault(record.run.method, {})
            sizes.setdefault(record.run.train_rows, []).append(Scored(record=record, test=table, train={}))
    rows = int(folder.about["task"].get("rows", {}).get("train") or 0)
    for method, sizes in found.items():
        full = groups.get(method) or ()
        if full and rows and all(primary.name in one.test for one in full):
            sizes[rows] = list(full)
    return {method: dict(sorted(sizes.items())) for method, sizes in found.items()}


def size_entries(curves: Curves, primary: Metric, intervals: Intervals) -> list[dict[str, Any]]:
    """The primary metric of each method at each number of train rows, with its 95 % interval over test rows."""
    return [
        {"method": method, "rows": rows, **scores.plain(intervals.test(group, primary))}
        for method, sizes in curves.items()
        for rows, group in sizes.items()
    ]


def growth(curves: Curves, full: int, order: Sequence[str], primary: Metric, tolerance: float) -> Growth | None:
    """The last step of the first method of `order` whose curve reaches all `full` train rows; None where there is none.

    The gain is that from the largest smaller part to all rows, on the same test rows, with its paired 95 % interval. Where
    that lies above zero, the score is taken to go on in the logarithm of the rows (a line through the last two sizes):
    gain(N more) = gain * log((n + N) / n) / log(n / before), so another `tolerance` needs
    N = n * ((n / before) ** (tolerance / gain) - 1) more rows. None beyond ten times the rows, or beyond the end of the scale.
    """
    method = next((name for name in order if full in curves.get(name, {}) and len(curves[name]) > 1), None)
    if method is None:
        return None
    before = max(rows for rows in curves[method] if rows < full)
    judged = scores.judged(primary)
    after_, before_ = (scores.stacked([one.test[primary.name] for one in curves[method][rows]]) for rows in (full, before))
    better, worse = (after_, before_) if primary.higher_is_better else (before_, after_)
    found = paired_difference(better, worse, judged)
    value = score(after_, judged)
    more = (
        rows_for(found.difference, full / before, full, tolerance)
        if found.low > 0 and has_room(value, tolerance, primary)
        else None
    )
    return Growth(method=method, before=before, rows=full, gain=found.difference, low=found.low, high=found.high, more=more)


def has_room(value: float, tolerance: float, primary: Metric) -> bool:
    """Whether a score can get better by another tolerance before its scale ends; a loss ends at 0."""
    if primary.higher_is_better:
        return primary.unit != "points" or value + tolerance <= 1.0
    return value - tolerance >= 0.0


def rows_for(gain: float, ratio: float, rows: int, tolerance: float) -> int | None:
    """How many rows on top of `rows` bring `tolerance`, where the last `ratio`-fold brought `gain`; rounded up to two digits."""
    if tolerance <= 0:
        return None
    exponent = tolerance / gain * math.log(ratio)
    if exponent > math.log(MOST_GROWTH):
        return None
    more = max(1, math.ceil(rows * math.expm1(exponent)))
    step = int(10 ** max(0, len(str(more)) - DIGITS))
    return math.ceil(more / step) * step


def growth_reason(found: Growth, words: Words, primary: Metric, tolerance: float) -> str:
    """What the last step says about collecting more rows."""
    numbers = Formatter(language=words.language)
    unit = words.unit(primary.unit)
    values = {
        "method": found.method,
        "before": numbers.number(found.before),
        "rows": numbers.number(found.rows),
        "gain": f"{numbers.signed(found.gain, primary.unit)} {unit}".strip(),
        "span": numbers.span(scores.finite(found.low), scores.finite(found.high), primary.unit),
        "tolerance": f"{numbers.tolerance(tolerance, primary.unit)} {unit}".strip(),
        "more": numbers.number(found.more),
    }
    return words("collect_not" if found.low <= 0 else "collect_far" if found.more is None else "collect_more", **values)


def lost_notes(folder: RunFolder, words: Words) -> list[str]:
    """Smaller runs that are missing although their method finished on all rows."""
    full = {record.run.method for record in folder.done if record.run.train_rows is None}
    return [
        words("note_size_lost", run=record.run.name, status=words(f"status_{record.run.status}"))
        for record in folder.records
        if record.run.train_rows is not None and record.run.status != "done" and record.run.method in full
    ]
