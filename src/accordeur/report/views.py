"""The tables of a report: what stands in which cell, and by what it is sorted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.report.figures import Reading, abilities, capital, forgetting_unit, unmoved
from accordeur.report.format import MISSING
from accordeur.report.table import finished

# column: the figure, the smaller figure below it, and how both are written
COST_COLUMNS = (
    ("fit_seconds", "fit_cpu_seconds", "seconds"),
    ("peak_memory_bytes", "base_bytes", "size"),
    ("trainable_parameters", "tokens_trained", "count"),
    ("artifact_bytes", "", "size"),
    ("predict_ms_per_row", "", "milliseconds"),
)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell: its text, a second line in small, the key it is sorted by, a tag, and how it is set."""

    text: str
    small: str = ""
    sort: str | float | None = None
    tag: str = ""
    class_: str = ""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A heading; numbers stand at the right, and a hint explains the word."""

    title: str
    numeric: bool = True
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with a caption (`quiet`: for screen readers only). The first cell of each row is its heading."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    quiet: bool = False


def name_cell(reading: Reading, method: Mapping[str, Any]) -> Cell:
    """A method's name, what it does, and whether the verdict names it."""
    tag = ""
    if method["method"] == reading.named:
        tag = reading.words("recommended" if reading.report["verdict"]["method"] else "leaning")
    return Cell(
        text=method["method"], small=reading.words.method(method["method"]), sort=method["method"], tag=tag, class_="method"
    )


def score_cell(reading: Reading, score: Mapping[str, float] | None, unit: str, extra: str = "") -> Cell:
    """A score with its interval below."""
    if score is None:
        return Cell(text=MISSING)
    span = reading.numbers.span(score["low"], score["high"], unit)
    return Cell(
        text=reading.numbers.score(score["value"], unit), small=span + (f"; {extra}" if extra else ""), sort=score["value"]
    )


def quality(reading: Reading) -> Table:
    """Every metric of every finished method, best first; those without the primary metric last."""
    report, words = reading.report, reading.words
    columns = [Column(title=words("method"), numeric=False), Column(title=words("seeds"))]
    columns += [Column(title=capital(reading.words.metric(name)), hint=metric_hint(reading, name)) for name in report["metrics"]]
    measured = [one for method in report["methods"] for one in abilities(method)[:1]]
    columns += [Column(title=words("short_forgot"), hint=words.metric(str(measured[0]["metric"])))] if measured else []
    rows = []
    for method in finished(reading):
        spread = method["seed_spread"]
        extra = words("seed_spread", span=reading.span(spread["low"], spread["high"])) if spread and spread["estimated"] else ""
        cells = [
            score_cell(reading, method["scores"].get(name), about["unit"], extra if name == reading.primary else "")
            for name, about in report["metrics"].items()
        ]
        lost = [forgot_cell(reading, method)] if measured else []
        rows.append([name_cell(reading, method), Cell(text=str(len(method["seeds"])), sort=len(method["seeds"])), *cells, *lost])
    return Table(caption=words("quality_table"), columns=columns, rows=rows)


def forgot_cell(reading: Reading, method: Mapping[str, Any]) -> Cell:
    """What was lost of the built-in general ability, with its interval below; 0 where the base was not moved."""
    for one in abilities(method)[:1]:
        unit = forgetting_unit(str(one["metric"]))
        if unmoved(one):
            return Cell(text="0", sort=0.0)
        span = reading.numbers.span(one.get("low"), one.get("high"), unit)
        return Cell(text=reading.numbers.signed(one["change"], unit), small=span, sort=one["change"])
    return Cell(text=MISSING)


def metric_hint(reading: Reading, name: str) -> str:
    """What a metric means, its unit and its direction."""
    about = reading.report["metrics"][name]
    parts = [
        reading.words.maybe(f"help_{name}"),
        reading.words.unit(about["unit"]),
        reading.words("higher" if about["higher_is_better"] else "lower"),
    ]
    return "; ".join(part for part in parts if part)


def differences(reading: Reading) -> Table | None:
    """The comparisons behind the verdict."""
    words, comparisons = reading.words, reading.report["verdict"]["comparisons"]
    if not comparisons:
        return None
    rows = [
        [
            Cell(text=words("against", method=one["method"], against=one["against"]), sort=one["method"], class_="method"),
            Cell(text=reading.signed(one["difference"]), sort=one["difference"]),
            Cell(text=reading.span(one["low"], one["high"]), sort=one["low"]),
            Cell(text=reading.numbers.p_value(one["p_adjusted"]), sort=one["p_adjusted"]),
        ]
        for one in sorted(comparisons, key=lambda one: -one["difference"])
    ]
    titles = [
        Column(title=words("method"), numeric=False),
        *(Column(title=words(key)) for key in ("difference", "interval", "p_adjusted")),
    ]
    return Table(caption=words("differences_table"), columns=titles, rows=rows)


def unfinished(reading: Reading) -> Table | None:
    """Runs that were skipped, failed or interrupted, with their reasons; equal ones of several seeds once."""
    words = reading.words
    seen = dict.fromkeys(
        (run["method"], run["status"], run["reason"] or "") for run in reading.report["runs"] if run["status"] != "done"
    )
    rows = [
        [
            Cell(text=method, small=words.method(method), sort=method, class_="method"),
            Cell(text=words(f"status_{status}"), sort=status, class_=f"status {status}"),
            Cell(text=reason or MISSING, sort=reason, class_="words"),
        ]
        for method, status, reason in seen
    ]
    titles = [Column(title=words(key), numeric=False) for key in ("method", "status", "reason")]
    return Table(caption=words("not_compared"), columns=titles, rows=rows, quiet=True) if rows else None


def cost(reading: Reading) -> Table | None:
    """What each finished method costs."""
    words, numbers = reading.words, reading.numbers
    methods = [method for method in reading.report["methods"] if method["cost"]]
    if not methods:
        return None
    shown = [column for column in COST_COLUMNS if any(method["cost"][column[0]] for method in methods)]
    priced = any(method["money"] for method in methods)
    rows = []
    for method in methods:
        cells = [cost_cell(reading, method["cost"], *column) for column in shown]
        if priced:
            cells += [
                Cell(text=numbers.money(method["money"][key]), sort=method["money"][key]) for key in ("fit", "per_1000_answers")
            ]
        rows.append(
            [Cell(text=method["method"], sort=method["method"], class_="method", tag=name_cell(reading, method).tag), *cells]
        )
    titles = [
        words("method"),
        *(words(column[0]) for column in shown),
        *([words("money_fit"), words("money_answers")] if priced else []),
    ]
    return Table(
        caption=words("cost_table"),
        columns=[Column(title=title, numeric=place > 0) for place, title in enumerate(titles)],
        rows=rows,
    )


def cost_cell(reading: Reading, cost_: Mapping[str, float], key: str, below: str, writer: str) -> Cell:
    """One cost, with the one that belongs to it below."""
    write = getattr(reading.numbers, writer)
    small = reading.words(f"small_{below}", value=write(cost_[below])) if below and cost_[below] else ""
    return Cell(text=write(cost_[key]), small=small, sort=cost_[key])


def pairs(reading: Reading, method: Mapping[str, Any]) -> Table:
    """The most frequent confusions of one method, for tasks with too many labels for a matrix."""
    words = reading.words
    rows = [
        [
            Cell(text=pair["expected"], sort=pair["expected"]),
            Cell(text=pair["output"] or words("confusion_none"), sort=pair["output"]),
            Cell(text=reading.numbers.number(pair["count"]), sort=pair["count"]),
        ]
        for pair in method["confusion"]["pairs"]
    ]
    titles = [
        Column(title=words("expected"), numeric=False),
        Column(title=words("answered"), numeric=False),
        Column(title=words("count")),
    ]
    return Table(caption=words("pairs_caption", method=method["method"]), columns=titles, rows=rows)


def entities(reading: Reading) -> Table | None:
    """How well each type of entity is found by every method, best method first."""
    words, numbers = reading.words, reading.numbers
    methods = [method for method in finished(reading) if method["entities"]]
    if not methods:
        return None
    found = [{entry["type"]: entry for entry in method["entities"]} for method in methods]
    rows = [
        [
            Cell(text=name, sort=name),
            Cell(text=numbers.number(entry["expected"]), sort=entry["expected"]),
            *(entity_cell(reading, one[name]) for one in found),
        ]
        for name, entry in found[0].items()
    ]
    titles = [Column(title=words("entity_type"), numeric=False), Column(title=words("entity_count"))]
    columns = [*titles, *(Column(title=method["method"]) for method in methods)]
    return Table(caption=words("entities_table"), columns=columns, rows=rows)


def entity_cell(reading: Reading, entry: Mapping[str, Any]) -> Cell:
    """F1 of one type by one method, precision and recall below."""
    if entry["f1"] is None:
        return Cell(text=MISSING)
    shares = {key: reading.numbers.score(entry[key], "points") for key in ("f1", "precision", "recall")}
    small = reading.words("entity_shares", precision=shares["precision"], recall=shares["recall"])
    return Cell(text=shares["f1"], small=small, sort=entry["f1"])


def slices(reading: Reading, column: str, entries: Sequence[Mapping[str, Any]]) -> Table:
    """The primary metric of every method on each part of the test rows."""
    words = reading.words
    names = [method["method"] for method in reading.ranked]
    rows = [
        [
            Cell(text=str(entry["value"]), sort=str(entry["value"]), class_="method"),
            Cell(text=reading.numbers.number(entry["rows"]), sort=entry["rows"]),
            *(score_cell(reading, entry["scores"].get(name), reading.unit) for name in names),
        ]
        for entry in entries
    ]
    titles = [Column(title=words("slice"), numeric=False), Column(title=words("rows")), *(Column(title=name) for name in names)]
    return Table(caption=words("slices_table", column=column), columns=titles, rows=rows)


def sizes(reading: Reading) -> Table:
    """The primary metric of every method at each number of training rows."""
    words, entries = reading.words, reading.report["train_sizes"]
    counts = sorted({entry["rows"] for entry in entries})
    found = {(entry["method"], entry["rows"]): entry for entry in entries}
    rows = [
        [
            Cell(text=name, sort=name, class_="method"),
            *(score_cell(reading, found.get((name, count)), reading.unit) for count in counts),
        ]
        for name in dict.fromkeys(entry["method"] for entry in entries)
    ]
    titles = [Column(title=words("method"), numeric=False), *(Column(title=reading.numbers.number(count)) for count in counts)]
    return Table(caption=words("sizes"), columns=titles, rows=rows)


def elsewhere(reading: Reading, entry: Mapping[str, Any]) -> Table:
    """The primary metric on the test rows and on one other distribution, and the drop between them."""
    words = reading.words
    rows = [
        [
            Cell(text=method["method"], sort=method["method"], class_="method"),
            score_cell(reading, method["scores"][reading.primary], reading.unit),
            score_cell(reading, there, reading.unit),
            Cell(text=reading.signed(there["drop"]["value"]), sort=there["drop"]["value"]),
            Cell(text=reading.span(there["drop"]["low"], there["drop"]["high"]), sort=there["drop"]["low"]),
        ]
        for method in reading.ranked
        if (there := entry["scores"].get(method["method"]))
    ]
    named = (words("method"), words("also_here"), entry["name"], words("also_drop"), words("interval"))
    titles = [Column(title=title, numeric=place > 0) for place, title in enumerate(named)]
    caption = words("also_table", name=entry["name"], rows=reading.numbers.number(entry["rows"]))
    return Table(caption=caption, columns=titles, rows=rows)


def forgetting(reading: Reading) -> Table | None:
    """What general abilities were before and after."""
    words, numbers = reading.words, reading.numbers
    rows = [
        [
            Cell(text=method["method"], small=words.metric(str(one["metric"])), sort=method["method"], class_="method"),
            *(Cell(text=numbers.score(one.get(key), unit), sort=one.get(key)) for key in ("before", "after")),
            Cell(text=numbers.signed(one["change"], unit), sort=one["change"]),
            Cell(text=MISSING if unmoved(one) else numbers.span(one.get("low"), one.get("high"), unit), sort=one.get("low")),
        ]
        for method in reading.report["methods"]
        for one in abilities(method)
        for unit in [forgetting_unit(str(one["metric"]))]
    ]
    titles = [
        Column(title=words("method"), numeric=False),
        *(Column(title=words(key)) for key in ("before", "after", "lost", "interval")),
    ]
    return Table(caption=words("forgetting_table"), columns=titles, rows=rows) if rows else None
