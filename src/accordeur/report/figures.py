"""Which chart shows which part of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from accordeur.report import charts
from accordeur.report.charts import Curve, Dot, Pair, Panel, Plane, Scale, Spot
from accordeur.report.format import Formatter
from accordeur.report.svg import Write
from accordeur.report.words import Language, Words

Report = Mapping[str, Any]
COSTS = (
    ("fit", "fit_cpu_seconds", "seconds", 1.0),
    ("memory", "peak_memory_bytes", "size", 0.0),
    ("size", "artifact_bytes", "size", 0.0),
    ("latency", "predict_ms_per_row", "milliseconds", 0.001),
)


NO_NUMBER = 1e300  # training writes a score that is not a number as one beyond this


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A chart and what is said below it."""

    chart: Markup
    caption: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A report with what is needed to show it."""

    report: Report
    words: Words
    numbers: Formatter

    @property
    def primary(self) -> str:
        """The name of the metric that decides."""
        return str(self.report["task"]["primary_metric"])

    @property
    def metric(self) -> str:
        """That metric as people call it."""
        return self.words.metric(self.primary)

    @property
    def unit(self) -> str:
        """Its unit."""
        return str(self.report["metrics"][self.primary]["unit"])

    @property
    def higher_is_better(self) -> bool:
        """Its direction."""
        return bool(self.report["metrics"][self.primary]["higher_is_better"])

    @property
    def named(self) -> str | None:
        """The method that the verdict names, be it firmly or not."""
        verdict = self.report["verdict"]
        named: str | None = verdict["method"] or verdict["leans_to"]
        return named

    @property
    def ranked(self) -> list[Mapping[str, Any]]:
        """The methods that have the primary metric, best first."""
        found = [method for method in self.report["methods"] if self.primary in method["scores"]]
        sign = -1 if self.higher_is_better else 1
        return sorted(found, key=lambda method: sign * method["scores"][self.primary]["value"])

    def score(self, value: float | None) -> str:
        """A value of the primary metric."""
        return self.numbers.score(value, self.unit)

    def signed(self, value: float | None) -> str:
        """A difference in the primary metric."""
        return self.numbers.signed(value, self.unit)

    def span(self, low: float | None, high: float | None) -> str:
        """An interval of the primary metric."""
        return self.numbers.span(low, high, self.unit)

    @property
    def axis(self) -> str:
        """The primary metric with its unit and its direction, for an axis."""
        named = f"{self.metric} ({self.words.unit(self.unit)})" if self.words.unit(self.unit) else self.metric
        return f"{named}, {self.words('higher' if self.higher_is_better else 'lower')}"

    @property
    def tolerance(self) -> str:
        """The tolerance with its unit."""
        return f"{self.numbers.tolerance(self.report['tolerance'], self.unit)} {self.words.unit(self.unit)}".strip()


def read(report: Report) -> Reading:
    """A report in its own language."""
    language: Language = "fr" if report["language"] == "fr" else "en"
    return Reading(report=report, words=Words(language=language), numbers=Formatter(language=language))


def quality(reading: Reading) -> Figure | None:
    """Dots with whiskers, best method first."""
    rows = [
        Dot(
            label=method["method"],
            value=score["value"],
            low=score["low"],
            high=score["high"],
            text=reading.score(score["value"]),
            note=reading.span(score["low"], score["high"]),
            others=tuple((method["seed_spread"] or {}).get("values", ())),
            strong=method["method"] == reading.named,
        )
        for method in reading.ranked
        for score in [method["scores"][reading.primary]]
    ]
    if not rows:
        return None
    caption = reading.words("quality_chart", metric=capital(reading.metric))
    share = reading.unit == "points"
    scale = Scale(write=tick(reading), title=reading.axis, least=0.0, most=1.0 if share else None, always=(rows[0].value,))
    return Figure(chart=charts.dots(rows, scale, caption), caption=caption)


def differences(reading: Reading) -> Figure | None:
    """The comparisons of the verdict with the band of tolerance."""
    comparisons = reading.report["verdict"]["comparisons"]
    if not comparisons:
        return None
    rows = [
        Dot(
            label=one["method"] if one["against"] == comparisons[0]["against"] else f"{one['method']} / {one['against']}",
            value=one["difference"],
            low=one["low"],
            high=one["high"],
            text=reading.signed(one["difference"]),
            note=reading.span(one["low"], one["high"]),
            strong=one["method"] == reading.named,
        )
        for one in sorted(comparisons, key=lambda one: -one["difference"])
    ]
    words = reading.words
    caption = words("differences_chart", metric=reading.metric, against=comparisons[0]["against"])
    title = words("difference_axis", metric=reading.metric, unit=words.unit(reading.unit)) + " · " + words("left_worse")
    tolerance = float(reading.report["tolerance"])
    scale = Scale(write=signed_tick(reading), title=title, zero=True, band=(-tolerance, tolerance))
    return Figure(chart=charts.dots(rows, scale, caption), caption=caption)


def costs(reading: Reading) -> list[Figure]:
    """Quality against time, memory, size and latency."""
    methods = [method for method in reading.ranked if method["cost"]]
    found = []
    for name, key, writer_name, time in COSTS if len(methods) > 1 else ():
        spots = [
            Spot(
                label=method["method"],
                x=float(method["cost"][key]),
                y=method["scores"][reading.primary]["value"],
                low=method["scores"][reading.primary]["low"],
                high=method["scores"][reading.primary]["high"],
                strong=method["method"] == reading.named,
            )
            for method in methods
        ]
        if len({spot.x for spot in spots}) < 2:
            continue
        title = reading.words(f"cost_{name}")
        plane = Plane(
            x=cost_tick(reading, writer_name),
            y=tick(reading),
            x_title=title,
            y_title=reading.axis,
            better_up=reading.higher_is_better,
            time=time,
        )
        caption = reading.words("cost_chart", metric=capital(reading.metric), cost=title)
        found.append(Figure(chart=charts.scatter(spots, plane, caption), caption=caption))
    return found


def cost_tick(reading: Reading, writer_name: str) -> Write:
    """Writes a tick of a cost."""
    write = getattr(reading.numbers, writer_name)
    return lambda value: reading.numbers.round_mark(write(value))


def curves(reading: Reading) -> list[Figure]:
    """Loss and validation score by step, one figure per trained method, seeds over one another.

    While training, a higher score is always better: one of a metric where lower is better was written with its sign turned.
    """
    judged = str(reading.report["task"]["trained_by"])
    about = reading.report["metrics"][judged]
    shown = (
        ("loss", reading.words("curve_loss"), lambda value: reading.numbers.real(value), 1.0),
        (
            "score",
            reading.words("curve_score", metric=reading.words.metric(judged)),
            writer(reading, about["unit"]),
            1.0 if about["higher_is_better"] else -1.0,
        ),
    )
    found = []
    for method in reading.report["methods"]:
        runs = [run for run in reading.report["runs"] if run["method"] == method["method"] and run["curve"]]
        panels = [
            Panel(curves=lines, write=write, title=title)
            for key, title, write, sign in shown
            if (lines := tuple(line for run in runs if (line := curve_of(run, key, sign))))
        ]
        if panels:
            title = reading.words("curve_chart", method=method["method"])
            drawn = charts.curves(panels, lambda value: reading.numbers.number(value), reading.words("curve_step"), title)
            found.append(Figure(chart=drawn, caption=method["method"]))
    return found


def curve_of(run: Mapping[str, Any], key: str, sign: float) -> Curve | None:
    """One line of a run; None where it has fewer than two such points. A score that was no number has no point."""
    known = [point for point in run["curve"] if point.get(key) is not None and abs(point[key]) < NO_NUMBER]
    points = tuple((float(point["step"]), sign * float(point[key])) for point in known)
    best = run["facts"].get("best_step") if key == "score" else None
    return Curve(points=points, best=best) if len(points) > 1 else None


def overfitting(reading: Reading) -> Figure | None:
    """Train and test scores as pairs, widest gap first."""
    methods = [method for method in reading.report["methods"] if method["overfitting"]]
    sign = 1 if reading.higher_is_better else -1
    rows = [
        Pair(
            label=method["method"],
            first=one["train"],
            second=one["test"],
            text=reading.signed(one["gap"]),
            note=reading.span(one["low"], one["high"]),
            strong=method["method"] == reading.named,
        )
        for method in sorted(methods, key=lambda method: -sign * method["overfitting"]["gap"])
        for one in [method["overfitting"]]
    ]
    if not rows:
        return None
    caption = reading.words("overfitting_chart", metric=capital(reading.metric))
    scale = Scale(write=tick(reading), title=reading.axis, least=0.0, most=1.0 if reading.unit == "points" else None)
    return Figure(chart=charts.pairs(rows, scale, caption), caption=caption)


def abilities(method: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The general abilities that were measured on a method: the built-in one, and the user's own."""
    general = method["forgetting"] or {}
    return [one for one in (general, general.get("retain") or {}) if one.get("change") is not None]


def unmoved(ability: Mapping[str, Any]) -> bool:
    """Whether the base is exactly what it was, so that nothing can have been lost."""
    return all(ability.get(key) == 0 for key in ("change", "low", "high"))


def forgetting(reading: Reading) -> list[Figure]:
    """What was lost of each general ability, one figure per metric, of the methods that moved the base."""
    found = [(method, one) for method in reading.report["methods"] for one in abilities(method) if not unmoved(one)]
    return [
        forgetting_figure(reading, [(method, one) for method, one in found if one["metric"] == metric], metric)
        for metric in dict.fromkeys(str(one["metric"]) for _, one in found)
    ]


def forgetting_figure(reading: Reading, found: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], metric: str) -> Figure:
    """What each method lost of one ability."""
    unit = forgetting_unit(metric)
    rows = [
        Dot(
            label=method["method"],
            value=one["change"],
            low=one.get("low"),
            high=one.get("high"),
            text=reading.numbers.signed(one["change"], unit),
            note=reading.numbers.span(one.get("low"), one.get("high"), unit),
            strong=method["method"] == reading.named,
        )
        for method, one in found
    ]
    title = reading.words("forgetting_axis", metric=reading.words.metric(metric), unit=reading.words.unit(unit))
    caption = reading.words("forgetting_chart", metric=reading.words.metric(metric))
    return Figure(
        chart=charts.dots(rows, Scale(write=writer(reading, unit, signed=True), title=title, zero=True), caption), caption=caption
    )


def forgetting_unit(metric: str) -> str:
    """The unit of a general ability: points for an accuracy, nats for a loss."""
    return "points" if metric.endswith("accuracy") else "nats"


def slices(reading: Reading, column: str, entries: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """The primary metric on each part of the test rows, one figure per method named by the verdict or best."""
    best = [method["method"] for method in reading.ranked]
    shown = [name for name in dict.fromkeys([reading.named, *best]) if name][:2]
    always = ends_of([score for entry in entries for name in shown if (score := entry["scores"].get(name))])
    most = 1.0 if reading.unit == "points" else None
    found = []
    for name in shown:
        rows = [
            Dot(
                label=f"{entry['value']} ({reading.numbers.number(entry['rows'])})",
                value=score["value"],
                low=score["low"],
                high=score["high"],
                text=reading.score(score["value"]),
                note=reading.span(score["low"], score["high"]),
                strong=name == reading.named,
            )
            for entry in entries
            if (score := entry["scores"].get(name))
        ]
        if rows:
            scale = Scale(write=tick(reading), title=reading.axis, least=0.0, most=most, always=always)
            caption = reading.words("slices_chart", metric=capital(reading.metric), method=name, column=column)
            found.append(Figure(chart=charts.dots(rows, scale, caption), caption=caption))
    return found


def ends_of(scores: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
    """The ends of the intervals of some scores, where they are known."""
    return tuple(float(score[end]) for score in scores for end in ("low", "high") if score[end] is not None)


def sizes(reading: Reading) -> list[Figure]:
    """The primary metric against the number of training rows, one figure per method."""
    entries = reading.report.get("train_sizes") or []
    found = []
    for name in dict.fromkeys(entry["method"] for entry in entries):
        mine = sorted((entry for entry in entries if entry["method"] == name), key=lambda entry: entry["rows"])
        points = [(float(entry["rows"]), float(entry["value"])) for entry in mine]
        known = [entry for entry in mine if entry["low"] is not None and entry["high"] is not None]
        spans = tuple((float(entry["rows"]), float(entry["low"]), float(entry["high"])) for entry in known)
        if len(points) > 1:
            caption = reading.words("sizes_chart", metric=capital(reading.metric), method=name)
            curve = Curve(points=tuple(points), spans=spans)
            panel = Panel(curves=(curve,), write=tick(reading), title=reading.metric, height=150.0, always=ends_of(entries))
            drawn = charts.curves([panel], lambda value: reading.numbers.number(value), reading.words("sizes_axis"), caption)
            found.append(Figure(chart=drawn, caption=name))
    return found


def elsewhere(reading: Reading, entry: Mapping[str, Any]) -> Figure:
    """Scores on the test rows and on one other distribution as pairs, in the order of the methods."""
    rows = [
        Pair(
            label=method["method"],
            first=method["scores"][reading.primary]["value"],
            second=there["value"],
            text=reading.score(there["value"]),
            note=reading.span(there["low"], there["high"]),
            strong=method["method"] == reading.named,
        )
        for method in reading.ranked
        if (there := entry["scores"].get(method["method"]))
    ]
    caption = reading.words("also_chart", metric=capital(reading.metric), name=entry["name"])
    scale = Scale(write=tick(reading), title=reading.axis, least=0.0, most=1.0 if reading.unit == "points" else None)
    return Figure(chart=charts.pairs(rows, scale, caption), caption=caption)


def tick(reading: Reading) -> Write:
    """Writes a tick of the primary metric, as short as it can be."""
    return writer(reading, reading.unit)


def signed_tick(reading: Reading) -> Write:
    """Writes a tick of a difference."""
    return writer(reading, reading.unit, signed=True)


def writer(reading: Reading, unit: str, *, signed: bool = False) -> Write:
    """Writes ticks in a unit: no more decimals than the value has."""

    def write(value: float) -> str:
        text = reading.numbers.tolerance(abs(value), unit)
        sign = "" if text == "0" else "−" if value < 0 else "+" if signed else ""
        return sign + text

    return write


def capital(words: str) -> str:
    """With a capital letter at the start, unless its first word has its own way of writing, as chrF."""
    first = words.split(" ")[0]
    return words[:1].upper() + words[1:] if first == first.lower() or "-" in first else words
