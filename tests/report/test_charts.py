"""Charts: what they draw stays within them, and is where the values say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.report import charts, figures, svg
from accordeur.report.charts import Curve, Dot, Panel, Plane, Scale, Spot
from accordeur.report.svg import Axis

SCALE = Scale(write=lambda value: f"{value:g}", title="points")
VALUES = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda value: value == 0 or abs(value) > 1e-9)


def circles(chart: str, class_: str) -> list[tuple[float, float]]:
    """The centres of all dots of a kind."""
    found = re.findall(rf'<circle cx="([-\d.]+)" cy="([-\d.]+)" r="[\d.]+" class="{class_}[^"]*">', chart)
    return [(float(x), float(y)) for x, y in found]


def test_dots_stand_in_the_order_of_their_values() -> None:
    drawn = charts.dots([Dot(label=name, value=value) for name, value in (("a", 0.9), ("b", 0.5), ("c", 0.7))], SCALE, "chart")
    (ax, ay), (bx, by), (cx, cy) = circles(drawn, "dot")
    assert bx < cx < ax and ay < by < cy
    assert cx - bx == pytest.approx(ax - cx, abs=0.1)


def test_the_recommended_row_is_in_view_however_far_it_is_ahead() -> None:
    rows = [Dot(label=f"m{place}", value=value, strong=place == 0) for place, value in enumerate([5.0, 5.5, 5.6, 5.7, 6.7])]
    drawn = charts.dots(rows, SCALE, "chart")
    assert len(circles(drawn, "dot strong")) == 1
    assert 'class="beyond strong"' not in drawn


def test_an_outlier_becomes_an_arrow_and_the_others_keep_the_room() -> None:
    rows = [Dot(label=str(value), value=value) for value in (0.94, 0.93, 0.91, 0.90, 0.02)]
    drawn = charts.dots(rows, SCALE, "chart")
    assert len(circles(drawn, "dot")) == 4 and drawn.count('class="beyond') == 1


@given(st.lists(VALUES, min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_dots_never_leave_the_chart(values: list[float]) -> None:
    drawn = charts.dots([Dot(label="x", value=value, low=value - 1, high=value + 1) for value in values], SCALE, "chart")
    assert all(0 <= x <= charts.WIDTH and 0 <= y <= charts.ROW * len(values) for x, y in circles(drawn, "dot"))
    assert len(circles(drawn, "dot")) + drawn.count('class="beyond') == len(values)


@given(st.lists(st.tuples(st.floats(0, 1e12), VALUES), min_size=2, max_size=9))
@settings(max_examples=60, deadline=None)
def test_a_scatter_takes_any_cost(values: list[tuple[float, float]]) -> None:
    plane = Plane(x=lambda value: f"{value:g}", y=lambda value: f"{value:g}", x_title="cost", y_title="quality")
    drawn = charts.scatter([Spot(label=f"m{place}", x=x, y=y) for place, (x, y) in enumerate(values)], plane, "chart")
    width, height = charts.PANEL
    assert all(0 <= x <= width and 0 <= y <= height for x, y in circles(drawn, "dot"))


@pytest.mark.parametrize(("better_up", "expected"), [(True, {"cheap", "good"}), (False, {"cheap", "low"})])
def test_the_frontier_passes_what_nothing_beats_at_its_cost(better_up: bool, expected: set[str]) -> None:
    spots = [
        Spot(label=label, x=x, y=y) for label, x, y in (("cheap", 1, 5), ("low", 10, 1), ("good", 100, 9), ("poor", 1000, 7))
    ]
    across, up = Axis(low=1, high=1000, start=0, end=300, logarithmic=True), Axis(low=0, high=10, start=100, end=0)
    corners = charts.frontier(spots, across, up, better_up)
    assert {spot.label for spot in spots if (across.place(spot.x), up.place(spot.y)) in corners} == expected


def test_curves_of_equal_values_are_drawn() -> None:
    panel = Panel(curves=(Curve(points=((0, 1.0), (10, 1.0)), best=10),), write=lambda value: f"{value:g}", title="loss")
    assert len(circles(charts.curves([panel], lambda value: f"{value:g}", "step", "chart"), "dot")) == 1


def test_names_in_a_chart_are_escaped() -> None:
    drawn = charts.dots([Dot(label='<b>"x', value=1.0)], SCALE, '"><script>')
    assert "<script>" not in drawn and "<b>" not in drawn
    assert "&lt;b&gt;" in drawn


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 100, [0, 20, 40, 60, 80, 100]), (0.81, 0.97, [0.85, 0.9, 0.95]), (-0.3, 0.1, [-0.3, -0.2, -0.1, 0, 0.1]), (3, 3, [3])],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert svg.ticks(low, high) == pytest.approx(expected)


def test_ticks_of_time_are_spans_people_know() -> None:
    assert svg.time_ticks(0.5, 4000) == [1.0, 10.0, 60.0, 600.0, 3600.0]
    assert svg.log_ticks(1, 2e4) == [1, 10, 100, 1000, 10_000]
    assert svg.log_ticks(60, 700) == [100, 200, 500]


@pytest.mark.parametrize(("metric", "expected"), [("macro_f1", 0.5), ("log_loss", -0.5)])
def test_a_learning_curve_shows_the_metric_that_training_went_by(report: dict[str, Any], metric: str, expected: float) -> None:
    run = {
        "facts": {"best_step": 2},
        "curve": [{"step": 1, "score": 0.5, "loss": 3.0}, {"step": 2, "score": -1e308}, {"step": 3, "score": 0.5}],
    }
    sign = 1.0 if report["metrics"][metric]["higher_is_better"] else -1.0
    curve = figures.curve_of(run, "score", sign)
    assert curve is not None and curve.points == ((1.0, expected), (3.0, expected))
    assert figures.curve_of(run, "loss", 1.0) is None
    changed = {**report, "task": {**report["task"], "trained_by": metric}}
    drawn = figures.curves(figures.read(changed))
    assert len(drawn) == 2 and f"{figures.read(report).words.metric(metric)} on the validation rows" in drawn[0].chart
