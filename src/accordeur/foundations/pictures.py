"""Pictures of what goes on in tokenizers, objectives, models and optimizers: every function returns a matplotlib figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from accordeur.foundations import formulas
from accordeur.foundations.explain import Explanation

Array = npt.NDArray[Any]
LETTER, LINE = 0.0836, 0.19  # inches of a letter of fixed width, 10 points, and of a line
TYPED: dict[str, Any] = {"family": "monospace", "fontsize": 10}
INK, MUTED, ACCENT, SECOND, PALE = "#1d2433", "#8a93a5", "#0b6e99", "#c2571a", "#dfe5ee"


def figure(width: float, height: float) -> tuple[Figure, Any]:
    """A figure of inches and its one plot, without a window."""
    made = Figure(figsize=(width, height), layout="constrained")
    return made, made.add_subplot()


def merges(explanation: Explanation) -> Figure:
    """Left: BPE's merges by frequency. Right: WordPiece's by gain in log-likelihood. From the first merge down."""
    made = Figure(figsize=(8, 0.6 + 0.34 * max(3, len(explanation.steps))), layout="constrained")
    left, right = made.subplots(1, 2)
    steps = explanation.steps
    bars(left, [step.bpe for step in steps if step.bpe], [float(step.count) for step in steps if step.bpe], ACCENT)
    bars(right, [step.wordpiece for step in steps if step.wordpiece], [step.gain for step in steps if step.wordpiece], SECOND)
    left.set_title("BPE: how often the pair occurs")
    right.set_title("WordPiece: nats the text gains")
    return made


def bars(plot: Any, names: Sequence[str], values: Sequence[float], colour: str) -> None:
    """Horizontal bars, the first on top, each with its value."""
    places = np.arange(len(names))
    plot.barh(places, values, color=colour)
    plot.set_yticks(places, names, family="monospace")
    plot.invert_yaxis()
    for place, value in zip(places, values, strict=True):
        plot.text(value, place, f" {value:.4g}", va="center", color=INK, fontsize=8)
    plot.spines[["top", "right"]].set_visible(False)


def page(columns: float, rows: float) -> tuple[Figure, Any]:
    """A figure without axes on which text of fixed width stands like in a terminal: x in letters, y in lines from above."""
    made = Figure(figsize=(LETTER * columns, LINE * rows))
    plot = made.add_axes((0, 0, 1, 1))
    plot.set_xlim(0, columns)
    plot.set_ylim(rows, 0)
    plot.axis("off")
    return made, plot


def tokens(words: Sequence[str], cuts: Sequence[Sequence[str]]) -> Figure:
    """Words, each with its tokens side by side: what a tokenizer makes of words it never saw."""
    names, longest = max(map(len, words)) + 3, max(sum(len(token) + 2 for token in cut) for cut in cuts)
    made, plot = page(names + longest + 1, 1.5 * len(words) + 0.5)
    for row, (word, cut) in enumerate(zip(words, cuts, strict=True)):
        height = 1.5 * row + 1
        plot.text(1, height, word, va="center", color=INK, **TYPED)
        place = float(names)
        for number, token in enumerate(cut):
            box = {"boxstyle": "round,pad=0.25", "facecolor": PALE if number % 2 else "white", "edgecolor": MUTED}
            plot.text(place, height, token, va="center", color=INK, bbox=box, **TYPED)
            place += len(token) + 1.6
    return made


def masks(lengths: Sequence[int], causal: bool) -> Figure:
    """Which place sees which, one square a row of the batch: the padding mask, and the causal one where asked."""
    widest = max(lengths)
    made = Figure(figsize=(2.4 * len(lengths), 2.8), layout="constrained")
    for number, length in enumerate(lengths):
        plot = made.add_subplot(1, len(lengths), number + 1)
        seen = visible(length, widest, causal)
        squares(plot, seen)
        plot.set_title(f"row {number + 1}: {length} of {widest} tokens", fontsize=9)
        plot.set_xlabel("is seen")
        plot.set_ylabel("sees")
    return made


def squares(plot: Any, seen: Array) -> None:
    """One square a pair of places, filled where one sees the other."""
    plot.pcolormesh(seen, cmap="Blues", vmin=0, vmax=1.4, edgecolors="white", linewidth=1)
    plot.invert_yaxis()
    plot.set_aspect("equal")
    plot.set_xticks(np.arange(len(seen)) + 0.5, range(1, len(seen) + 1))
    plot.set_yticks(np.arange(len(seen)) + 0.5, range(1, len(seen) + 1))


def visible(length: int, widest: int, causal: bool) -> npt.NDArray[np.bool_]:
    """(widest, widest): whether the row's place sees the column's; padding sees nothing and is never seen."""
    real = np.arange(widest) < length
    seen = real[:, None] & real[None, :]
    return np.tril(seen) if causal else seen


def masking(before: Sequence[str], shown: Sequence[str], asked: Sequence[bool], columns: int = 90) -> Figure:
    """A sentence before and, below it, after BERT's masking: what is asked is bold, what was changed stands in colour."""
    widths = [max(len(old), len(new)) + 2 for old, new in zip(before, shown, strict=True)]
    places, line, used = [], 0, 1
    for width in widths:
        if used + width > columns and used > 1:
            line, used = line + 1, 1
        places.append((line, used))
        used += width
    made, plot = page(columns, 3.5 * (line + 1) + 0.5)
    for old, new, wanted, (row, place) in zip(before, shown, asked, places, strict=True):
        colour = MUTED if not wanted else ACCENT if old != new else SECOND
        plot.text(place, 3.5 * row + 1, old, va="center", color=INK, **TYPED)
        plot.text(place, 3.5 * row + 2.3, new, va="center", color=colour, fontweight="bold" if wanted else "normal", **TYPED)
    return made


def attention(weights_TT: Array, names: Sequence[str], title: str = "") -> Figure:
    """One attention head on one sentence: row t shows where token t looks; rows sum to 1."""
    side = 1.2 + 0.32 * len(names)
    made, plot = figure(side, side)
    plot.imshow(weights_TT, cmap="Blues", vmin=0, vmax=1)
    plot.set_xticks(range(len(names)), names, rotation=90, family="monospace", fontsize=8)
    plot.set_yticks(range(len(names)), names, family="monospace", fontsize=8)
    plot.set_title(title, fontsize=9)
    return made


def probabilities(names: Sequence[str], values: Sequence[float], title: str) -> Figure:
    """The likeliest tokens at one place, with their probabilities: next words, or what fills a mask."""
    made, plot = figure(5, 0.8 + 0.34 * len(names))
    bars(plot, list(names), list(values), ACCENT)
    plot.set_title(title, fontsize=10)
    plot.set_xlim(0, max(values) * 1.2)
    return made


def architectures() -> Figure:
    """Encoder, decoder and encoder-decoder side by side: what each token sees."""
    made = Figure(figsize=(9, 3.4), layout="constrained")
    both = np.ones((6, 6), dtype=bool)
    decoder = np.tril(both)
    crossed = np.zeros((12, 12), dtype=bool)
    crossed[:6, :6], crossed[6:, :6], crossed[6:, 6:] = both, both, decoder
    for number, (title, seen) in enumerate(
        [
            ("encoder (BERT): all see all", both),
            ("decoder (GPT): back only", decoder),
            ("encoder-decoder (T5):\nanswer sees question and back", crossed),
        ]
    ):
        plot = made.add_subplot(1, 3, number + 1)
        squares(plot, seen)
        plot.set_title(title, fontsize=9)
        plot.set_xticks([])
        plot.set_yticks([])
        plot.set_xlabel("is seen")
        plot.set_ylabel("sees")
    return made


def lines(series: dict[str, Sequence[float]], across: str, up: str) -> Figure:
    """Curves over steps counted from 1: schedules, losses."""
    made, plot = figure(7.4, 3.4)
    for name, values in series.items():
        plot.plot(range(1, len(values) + 1), values, label=name)
    plot.set_xlabel(across)
    plot.set_ylabel(up)
    plot.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    plot.spines[["top", "right"]].set_visible(False)
    return made


def descents(steps: int = 60) -> Figure:
    """Four optimizers on one long valley, f(x, y) = x² / 20 + y², from the same start."""
    start = np.array([-8.0, 2.0])
    made, plot = figure(6, 3.6)
    x, y = np.meshgrid(np.linspace(-9, 3, 120), np.linspace(-2.6, 2.6, 80))
    plot.contour(x, y, x**2 / 20 + y**2, levels=14, colors=PALE)
    optimizers = {
        "SGD": formulas.Sgd(rate=0.3),
        "momentum": formulas.Sgd(rate=0.1, momentum=0.9),
        "RMSProp": formulas.RmsProp(rate=0.2),
        "Adam": formulas.Adam(rate=0.3),
    }
    for name, optimizer in optimizers.items():
        path = formulas.descend(optimizer, lambda w: np.array([w[0] / 10, 2 * w[1]]), start, steps)
        plot.plot(path[:, 0], path[:, 1], marker=".", markersize=3, linewidth=1, label=name)
    plot.legend(frameon=False)
    return made
