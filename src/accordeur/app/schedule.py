"""`accordeur schedule`: a learning-rate schedule as numbers, or drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SHOWN = 11  # lines of the table
INK, ACCENT = "#444444", "#1f5fa8"


def schedule(
    kind: Annotated[str, typer.Option(help="linear, cosine, inverse_sqrt, exponential, constant …")] = "linear",
    steps: Annotated[int, typer.Option(min=1, help="Optimizer steps of the run.")] = 1000,
    warmup: Annotated[float, typer.Option(min=0, help="Share of the steps, or steps when 1 or more.")] = 0.06,
    floor: Annotated[float, typer.Option(min=0, max=1, help="Share of the rate that cosine and exponential end at.")] = 0.0,
    rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 1.0,
    plot: Annotated[Path | None, typer.Option(help="Draw it into this file (.png, .svg, .pdf).")] = None,
) -> None:
    """Show a learning-rate schedule: a table of its values, or a picture."""
    values = rates(kind, steps, warmup, floor, rate)
    if plot is None:
        for place in range(SHOWN):
            step = round(1 + place * (steps - 1) / (SHOWN - 1))
            typer.echo(f"{step:>8}  {values[step - 1]:.6g}")
        return
    draw(values, f"{kind}, {steps} steps", plot)
    typer.echo(str(plot))


def rates(kind: str, steps: int, warmup: float, floor: float, rate: float) -> list[float]:
    """The learning rate of every step, from the first to the last."""
    from accordeur.errors import RecipeError
    from accordeur.method import nearest
    from accordeur.training.schedules import SHAPES, factor, warmup_steps

    if kind not in SHAPES:
        raise RecipeError(f"unknown schedule {kind!r}", hint=nearest(kind, tuple(SHAPES)))
    count = warmup_steps(warmup, steps)
    return [rate * factor(kind, step, warmup=count, steps=steps, floor=floor) for step in range(1, steps + 1)]  # type: ignore[arg-type]


def draw(values: list[float], title: str, path: Path) -> None:
    """A line over the steps. RecipeError for an ending that can't be drawn."""
    from matplotlib.figure import Figure

    from accordeur.errors import RecipeError
    from accordeur.store import explained

    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(range(1, len(values) + 1), values, color=ACCENT)
    axes.set(title=title, xlabel="step", ylabel="learning rate", xlim=(0, len(values) + 1))
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    try:
        with explained(path):
            figure.savefig(path, dpi=150)
    except ValueError as fault:
        raise RecipeError(
            f"can't draw into {path.name}: {fault}", hint="expected a file that ends in .png, .svg or .pdf"
        ) from fault
