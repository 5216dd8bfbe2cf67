"""Pieces of inline SVG: elements, axes, ticks. Every text in them is escaped."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from accordeur.report.format import clean, cut

Write = Callable[[float], str]
SPANS = (1e-4, 1e-3, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36_000.0, 86_400.0, 864_000.0)  # 0.1 ms to 10 days
LETTER = 6.9  # the mean width of a letter at 13 px, in pixels; generous, so that labels never touch


def element(name: str, *children: Markup | str, **attributes: object) -> Markup:
    """One element; `class_` is `class`, other underscores are hyphens, None leaves an attribute out."""
    parts = [
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), shorten(value))
        for key, value in attributes.items()
        if value is not None
    ]
    opening = Markup("<") + Markup(name) + Markup("").join(parts)
    inside = Markup("").join(escape(child) for child in children)
    return opening + Markup(">") + inside + Markup("</") + Markup(name) + Markup(">")


def shorten(value: object) -> str:
    """Coordinates with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else clean(value)


def picture(width: float, height: float, title: str, parts: Sequence[Markup]) -> Markup:
    """A whole image; its title is what a screen reader says."""
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=int(width),
        height=int(height),
        role="img",
        aria_label=clean(title),
        class_="chart",
    )


def text(x: float, y: float, words: str, class_: str = "", anchor: str | None = None) -> Markup:
    """A line of text; y is its base line."""
    return element("text", clean(words), x=float(x), y=float(y), class_=class_ or None, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def circle(x: float, y: float, radius: float, class_: str) -> Markup:
    """A dot."""
    return element("circle", cx=float(x), cy=float(y), r=float(radius), class_=class_)


def box(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    """A filled rectangle."""
    return element("rect", x=float(x), y=float(y), width=max(0.0, float(width)), height=max(0.0, float(height)), class_=class_)


def path(points: Sequence[tuple[float, float]], class_: str) -> Markup:
    """A line through points."""
    steps = " ".join(f"{'L' if place else 'M'}{x:.1f} {y:.1f}" for place, (x, y) in enumerate(points))
    return element("path", d=steps, class_=class_)


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A range of values on a range of pixels, linear or by powers of ten. Values below `low` stand at the start."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """The pixel of a value."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, at = math.log10(low), math.log10(high), math.log10(at)
        share = (at - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round values between two."""
    if not high > low:
        return [low]
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(first * step + place * step, 12) for place in range(int((high - first * step) / step + 1e-9) + 1)]


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Powers of ten between two values, thinned out where they are many, with 2 and 5 between where they are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    coarse = [10.0**power for power in powers if low <= 10.0**power <= high]
    if len(coarse) < 3:
        coarse = [factor * 10.0**power for power in powers for factor in (1, 2, 5) if low <= factor * 10.0**power <= high]
    return thinned(coarse, most)


def time_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Spans of time that people think in, in seconds."""
    return thinned([span for span in SPANS if low <= span <= high], most)


def thinned(values: Sequence[float], most: int) -> list[float]:
    """Every n-th value, so that at most `most` are left."""
    return list(values[:: max(1, math.ceil(len(values) / most))])


def padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """A range with some air around it."""
    air = (high - low) * share or max(abs(high) * 0.1, 1e-3)
    return low - air, high + air


def fitting(words: str, pixels: float) -> str:
    """As much of a label as there is room for."""
    return cut(clean(words), max(3, int(pixels / LETTER)))
