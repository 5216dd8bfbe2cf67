"""The charts of the report: dots with whiskers, pairs of dots, a scatter, curves; each a pure function of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from accordeur.report import svg
from accordeur.report.svg import Axis, Write

WIDTH = 760.0
ROW = 32.0
LABELS = 190.0  # most room for names on the left
VALUES = 170.0  # room for numbers on the right
FOOT = 46.0  # room for ticks and the axis title
PANEL = (368.0, 236.0)
LEAST_IN_VIEW = 0.6  # the share of rows that an axis must hold
LEAST_COST = 1e-9  # what is positive and below has no room of its own on a logarithmic axis


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A value with its interval; `text` and `note` stand at its right, `others` are seeds, `strong` is the one recommended."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    text: str = ""
    note: str = ""
    others: tuple[float, ...] = ()
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How values are written on an axis, what the axis is called, and the marks it carries."""

    write: Write
    title: str
    zero: bool = False  # a line at zero, always in view
    band: tuple[float, float] | None = None  # a shaded range: differences that do not matter
    least: float | None = None  # values can't be below or above these
    most: float | None = None
    always: tuple[float, ...] = ()  # values that are in view too, so that several charts have one scale


def extent(values: Sequence[float], scale: Scale) -> tuple[float, float]:
    """The range of an axis: the values with some air, kept to what is possible."""
    marks = [*values, *scale.always, *([0.0] if scale.zero else []), *(scale.band or ())]
    low, high = svg.padded(min(marks), max(marks))
    if scale.least is not None and min(marks) >= scale.least:
        low = max(low, scale.least)
    if scale.most is not None and max(marks) <= scale.most:
        high = min(high, scale.most)
    return low, high


def dots(rows: Sequence[Dot], scale: Scale, title: str) -> Markup:
    """One line per row: name, dot with whiskers, numbers. Rows far below the others are arrows at the edge."""
    low, high = extent(in_view(rows), scale)
    axis = Axis(low=low, high=high, start=label_room([row.label for row in rows]) + 14, end=WIDTH - VALUES - 12)
    height = ROW * len(rows) + FOOT
    parts = [*frame(axis, scale, ROW * len(rows))]
    for place, row in enumerate(rows):
        parts += dot_row(row, axis, ROW * (place + 0.5))
    return svg.picture(WIDTH, height, title, parts)


def label_room(labels: Sequence[str]) -> float:
    """The width of the column of names."""
    return min(LABELS, max(64.0, max(len(label) for label in labels) * svg.LETTER))


def reach(row: Dot | Pair | Spot) -> list[float]:
    """All values that a row shows, the main one first."""
    if isinstance(row, Pair):
        return [row.second, row.first]
    if isinstance(row, Spot):
        return [value for value in (row.y, row.low, row.high) if value is not None]
    return [value for value in (row.value, row.low, row.high, *row.others) if value is not None]


def in_view(rows: Sequence[Dot | Pair | Spot]) -> list[float]:
    """The values that an axis must hold: outliers at either end are left out while that more than halves the range.

    At least three rows in five, and three of them, stay, and the recommended one: a floor far below all would squeeze what is
    of interest.
    """
    kept = sorted(rows, key=lambda row: reach(row)[0])
    while len(kept) - 1 >= max(3, LEAST_IN_VIEW * len(rows)):
        fewer = [part for part, out in ((kept[1:], kept[0]), (kept[:-1], kept[-1])) if not out.strong]
        best = min(fewer, key=spread, default=kept)
        if spread(best) >= 0.5 * spread(kept):
            break
        kept = best
    return [value for row in kept for value in reach(row)]


def spread(rows: Sequence[Dot | Pair | Spot]) -> float:
    """The range of all that some rows show."""
    values = [value for row in rows for value in reach(row)]
    return max(values) - min(values)


def frame(axis: Axis, scale: Scale, bottom: float) -> list[Markup]:
    """Grid lines, ticks, the band of tolerance and the zero line, and the axis title below."""
    parts = []
    if scale.band:
        left, right = axis.place(scale.band[0]), axis.place(scale.band[1])
        parts.append(svg.box(left, 0, right - left, bottom, "band"))
    for tick in svg.ticks(axis.low, axis.high):
        x = axis.place(tick)
        parts += [svg.line(x, 0, x, bottom, "gridline"), svg.text(x, bottom + 17, scale.write(tick), "tick", "middle")]
    if scale.zero:
        parts.append(svg.line(axis.place(0), 0, axis.place(0), bottom, "zero"))
    middle = (axis.start + axis.end) / 2
    return [*parts, svg.text(middle, bottom + 37, scale.title, "axis", "middle")]


def dot_row(row: Dot, axis: Axis, y: float) -> list[Markup]:
    """The marks of one row."""
    tone = "strong" if row.strong else "plain"
    parts = texts(row.label, row.text, row.note, y, tone)
    if not axis.low <= row.value <= axis.high:
        return [*parts, arrow(axis.start if row.value < axis.low else axis.end, y, -1 if row.value < axis.low else 1, tone)]
    parts += [svg.circle(axis.place(other), y, 2.6, "seed") for other in row.others]
    if row.low is not None and row.high is not None:
        left, right = axis.place(row.low), axis.place(row.high)
        parts += [svg.line(left, y, right, y, f"whisker {tone}")]
        parts += [
            svg.line(x, y - 4, x, y + 4, f"whisker {tone}")
            for value, x in ((row.low, left), (row.high, right))
            if axis.low <= value <= axis.high
        ]
    return [*parts, svg.circle(axis.place(row.value), y, 5.2, f"dot {tone}")]


def texts(label: str, value: str, note: str, y: float, tone: str) -> list[Markup]:
    """The name at the left of a row, its value and what belongs to it at the right, in columns."""
    left = WIDTH - VALUES
    return [
        svg.text(0, y + 4.5, svg.fitting(label, LABELS), f"name {tone}"),
        svg.text(left + 44, y + 4.5, value, f"name {tone}", "end"),
        svg.text(left + 56, y + 4.5, note, f"value {tone}"),
    ]


def arrow(x: float, y: float, side: int, tone: str) -> Markup:
    """A mark at the edge: the value lies beyond the axis."""
    tip, foot = x + side * 2, x - side * 8
    return svg.element("path", d=f"M{tip:.1f} {y:.1f}L{foot:.1f} {y - 5:.1f}L{foot:.1f} {y + 5:.1f}Z", class_=f"beyond {tone}")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two values of one row: on train rows and on test rows."""

    label: str
    first: float
    second: float
    text: str = ""
    note: str = ""
    strong: bool = False


def pairs(rows: Sequence[Pair], scale: Scale, title: str) -> Markup:
    """One line per row: an open dot, a filled dot, and the way between them."""
    low, high = extent(in_view(rows), scale)
    axis = Axis(low=low, high=high, start=label_room([row.label for row in rows]) + 14, end=WIDTH - VALUES - 12)
    parts = [*frame(axis, scale, ROW * len(rows))]
    for place, row in enumerate(rows):
        y, tone = ROW * (place + 0.5), "strong" if row.strong else "plain"
        parts += texts(row.label, row.text, row.note, y, tone)
        if not axis.low <= row.second <= axis.high:
            parts.append(arrow(axis.start if row.second < axis.low else axis.end, y, -1 if row.second < axis.low else 1, tone))
            continue
        first, second = axis.place(row.first), axis.place(row.second)
        parts += [
            svg.line(first, y, second, y, f"way {tone}"),
            svg.circle(first, y, 4.8, f"ring {tone}"),
            svg.circle(second, y, 4.8, f"dot {tone}"),
        ]
    return svg.picture(WIDTH, ROW * len(rows) + FOOT, title, parts)


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A method as a point: what it costs (x), how good it is (y)."""

    label: str
    x: float
    y: float
    low: float | None = None
    high: float | None = None
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Plane:
    """How the two axes of a scatter are written; `better_up` says where good is, for the line of the best for their cost."""

    x: Write
    y: Write
    x_title: str
    y_title: str
    better_up: bool = True
    time: float = 0.0  # the seconds in a unit of x, where x is a time


def scatter(spots: Sequence[Spot], plane: Plane, title: str) -> Markup:
    """Quality against one cost on a logarithmic axis, with the steps of what is best for its cost."""
    width, height = PANEL
    across = cost_axis([spot.x for spot in spots], 46, width - 16)
    held = in_view(spots)
    low, high = svg.padded(min(held), max(held), 0.1)
    up = Axis(low=low, high=high, start=height - 46, end=26)
    parts = [svg.text(0, 12, plane.y_title, "axis")]
    for tick in svg.ticks(low, high, 4):
        y = up.place(tick)
        parts += [svg.line(46, y, width - 8, y, "gridline"), svg.text(38, y + 4, plane.y(tick), "tick", "end")]
    parts += cost_ticks(across, plane, height - 46, any(spot.x <= 0 for spot in spots))
    parts.append(svg.text((across.start + across.end) / 2, height - 6, plane.x_title, "axis", "middle"))
    parts.append(svg.path(frontier(spots, across, up, plane.better_up), "frontier"))
    return svg.picture(width, height, title, [*parts, *marks_of(spots, across, up)])


def cost_axis(values: Sequence[float], start: float, end: float) -> Axis:
    """Powers of ten around the positive values; one more to the left where something costs nothing."""
    positive = [max(value, LEAST_COST) for value in values if value > 0] or [1.0]
    low, high = min(positive) / 2, max(positive) * 2
    if high / low < 30:
        low, high = low / 2, high * 2
    return Axis(low=low / 4 if min(values) <= 0 else low, high=high, start=start + 10, end=end - 6, logarithmic=True)


def cost_ticks(axis: Axis, plane: Plane, bottom: float, free: bool) -> list[Markup]:
    """Ticks of a cost axis; its left end reads 0 where something costs nothing."""
    spans = [span / plane.time for span in svg.time_ticks(axis.low * plane.time, axis.high * plane.time)] if plane.time else []
    found = [tick for tick in (spans or svg.log_ticks(axis.low, axis.high)) if not free or axis.place(tick) > axis.start + 36]
    marks = [(axis.place(tick), plane.x(tick)) for tick in found] + ([(axis.start, "0")] if free else [])
    return [
        part
        for x, words in marks
        for part in (svg.line(x, bottom, x, bottom + 4, "zero"), svg.text(x, bottom + 17, words, "tick", "middle"))
    ]


def frontier(spots: Sequence[Spot], across: Axis, up: Axis, better_up: bool) -> list[tuple[float, float]]:
    """The steps through the methods that nothing beats at their cost or below."""
    sign = 1 if better_up else -1
    points: list[tuple[float, float]] = []
    best = float("-inf")
    for spot in sorted(spots, key=lambda spot: (spot.x, -sign * spot.y)):
        if sign * spot.y > best:
            x, y = across.place(spot.x), up.place(spot.y)
            points += [(x, points[-1][1])] if points else []
            points.append((x, y))
            best = sign * spot.y
    return [*points, (across.end, points[-1][1])] if points else []


def marks_of(spots: Sequence[Spot], across: Axis, up: Axis) -> list[Markup]:
    """Dots with whiskers, and their names where these hide nothing."""
    places = [(across.place(spot.x), up.place(spot.y)) for spot in spots]
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in places]
    parts = []
    for spot, (x, y) in zip(spots, places, strict=True):
        tone = "strong" if spot.strong else "plain"
        if not up.low <= spot.y <= up.high:
            parts.append(drop(x, y, -1 if spot.y > up.high else 1, tone))
            continue
        if spot.low is not None and spot.high is not None:
            parts.append(svg.line(x, up.place(spot.low), x, up.place(spot.high), f"whisker thin {tone}"))
        parts.append(svg.circle(x, y, 4.8, f"dot {tone}"))
    for spot, (x, y) in sorted(zip(spots, places, strict=True), key=lambda entry: not entry[0].strong):
        tone = "strong" if spot.strong else "plain"
        found = room(svg.fitting(spot.label, 120), x, y, taken)
        taken.append(found[0])
        parts.append(svg.text(found[1], found[2], svg.fitting(spot.label, 120), f"name small {tone}"))
    return parts


def drop(x: float, y: float, side: int, tone: str) -> Markup:
    """A mark at the lower (1) or upper (-1) edge: the value lies beyond the axis."""
    return svg.element(
        "path",
        d=f"M{x:.1f} {y + side * 3:.1f}L{x - 5:.1f} {y - side * 7:.1f}L{x + 5:.1f} {y - side * 7:.1f}Z",
        class_=f"beyond {tone}",
    )


Box = tuple[float, float, float, float]


def room(label: str, x: float, y: float, taken: Sequence[Box]) -> tuple[Box, float, float]:
    """Where a name fits beside its dot: (its box, x, base line); the first place where it covers least."""
    width = len(label) * svg.LETTER * 0.92
    choices = []
    for dx, dy in (
        (9, 4),
        (-9 - width, 4),
        (-width / 2, -11),
        (-width / 2, 20),
        (8, -9),
        (8, 17),
        (-8 - width, -9),
        (-8 - width, 17),
    ):
        left, base = x + dx, y + dy
        frame_ = (left, base - 11, left + width, base + 3)
        outside = left < 44 or left + width > PANEL[0] or base > PANEL[1] - 48 or base < 24
        covered = sum(overlap(frame_, other) for other in taken)
        choices.append((covered + 1e4 * outside, frame_, left, base))
    best = min(choices, key=lambda choice: choice[0])
    return best[1], best[2], best[3]


def overlap(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    return max(0.0, min(one[2], other[2]) - max(one[0], other[0])) * max(0.0, min(one[3], other[3]) - max(one[1], other[1]))


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line of a panel: points (step, value); `best` marks the step that was kept; `spans` are intervals (step, low, high)."""

    points: tuple[tuple[float, float], ...]
    spans: tuple[tuple[float, float, float], ...] = ()
    best: float | None = None
    strong: bool = True


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Lines over the same steps: what is drawn, how its values are written, and what it is called."""

    curves: tuple[Curve, ...]
    write: Write
    title: str
    height: float = 104.0
    always: tuple[float, ...] = ()  # values that are in view too, so that several charts have one scale


def curves(panels: Sequence[Panel], step: Write, step_title: str, title: str) -> Markup:
    """Panels above one another over one axis of steps."""
    width = PANEL[0]
    steps = [x for panel in panels for curve in panel.curves for x, _ in curve.points]
    across = Axis(low=min(steps), high=max(max(steps), min(steps) + 1), start=50, end=width - 14)
    parts: list[Markup] = []
    top = 0.0
    for panel in panels:
        parts += panel_parts(panel, across, top)
        top += panel.height
    for tick in svg.ticks(across.low, across.high, 4):
        parts.append(svg.text(across.place(tick), top + 10, step(tick), "tick", "middle"))
    parts.append(svg.text((across.start + across.end) / 2, top + 29, step_title, "axis", "middle"))
    return svg.picture(width, top + 36, title, parts)


def panel_parts(panel: Panel, across: Axis, top: float) -> list[Markup]:
    """One panel: its title, its grid, its lines."""
    values = [*panel.always, *(y for curve in panel.curves for _, y in curve.points)]
    values += [end for curve in panel.curves for _, *ends in curve.spans for end in ends]
    low, high = svg.padded(min(values), max(values), 0.08)
    up = Axis(low=low, high=high, start=top + panel.height - 8, end=top + 22)
    parts = [svg.text(0, top + 12, panel.title, "axis")]
    for tick in svg.ticks(low, high, 3):
        y = up.place(tick)
        parts += [
            svg.line(across.start, y, across.end, y, "gridline"),
            svg.text(across.start - 8, y + 4, panel.write(tick), "tick", "end"),
        ]
    for curve in sorted(panel.curves, key=lambda curve: curve.strong):
        tone = "strong" if curve.strong else "plain"
        parts += [
            svg.line(across.place(x), up.place(a), across.place(x), up.place(b), f"whisker {tone}") for x, a, b in curve.spans
        ]
        parts += [svg.circle(across.place(x), up.place(y), 3.0, f"dot {tone}") for x, y in curve.points if curve.spans]
        parts.append(svg.path([(across.place(x), up.place(y)) for x, y in curve.points], f"curve {tone}"))
        kept = [(x, y) for x, y in curve.points if curve.best is not None and x == curve.best]
        parts += [svg.circle(across.place(x), up.place(y), 4.2, f"dot {tone}") for x, y in kept]
    return parts
