"""`accordeur pretrain` and `accordeur tokenizer`: from raw text to a base, told as it goes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

SECONDS_BETWEEN_LINES = 10.0


def pretrain(
    text: Annotated[list[Path], typer.Argument(help="Text files or folders (.txt, .jsonl, .gz), or one recipe (.yaml).")],
    out: Annotated[Path, typer.Option(help="Folder of the finished base.")] = Path("base"),
    family: Annotated[str | None, typer.Option(help="gpt, bert or t5. Default: gpt.")] = None,
    objective: Annotated[
        str | None, typer.Option(help="Of bert: masked, masked-whole-words or masked-and-next. Default: the family's first.")
    ] = None,
    size: Annotated[str | None, typer.Option(help="tiny, mini or small. Default: as --budget allows.")] = None,
    layers: Annotated[int | None, typer.Option(help="Blocks, in place of the size's own; on either side of t5.")] = None,
    width: Annotated[int | None, typer.Option(help="Of the hidden states.")] = None,
    heads: Annotated[int | None, typer.Option(help="Of attention; they divide the width.")] = None,
    context: Annotated[int | None, typer.Option(help="Tokens of a row.")] = None,
    vocabulary: Annotated[int | None, typer.Option(help="Entries of the tokenizer.")] = None,
    budget: Annotated[
        float | None, typer.Option(min=0.01, help="Minutes; shape, batch, rate and steps follow. Default: 5.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Exactly so many steps.")] = None,
    batch_rows: Annotated[int | None, typer.Option(min=1, help="Rows of a step. Default: 4,096 tokens of them.")] = None,
    tokenizer: Annotated[Path | None, typer.Option(help="Folder of a tokenizer to use. Default: a new one.")] = None,
    held_out: Annotated[
        list[Path] | None, typer.Option(help="Files to score on. Default: the last file, or the end of a single one.")
    ] = None,
    columns: Annotated[str, typer.Option(help="Columns of JSON lines, with commas between.")] = "text",
    seed: Annotated[int | None, typer.Option(help="Seed of everything random. Default: 0, or a recipe's own.")] = None,
) -> None:
    """Pretrain a small base from raw text; the same command goes on after a stop."""
    from rich.console import Console

    from accordeur.app.signals import Stopper
    from accordeur.foundations.command import PretrainArguments, run_pretrain

    shape = {"layers": layers, "width": width, "heads": heads, "context": context, "vocabulary": vocabulary}
    console = Console()
    arguments = PretrainArguments(
        texts=tuple(text),
        out=out,
        family=family,
        objective=objective,
        size=size,
        shape={name: value for name, value in shape.items() if value is not None},
        minutes=budget,
        steps=steps,
        batch_rows=batch_rows,
        tokenizer=tokenizer,
        held_out=tuple(held_out or ()),
        columns=tuple(columns.split(",")),
        seed=seed,
    )
    stop = Stopper(lambda: console.print("stopping after this step; once more to stop at once")).listen()
    run_pretrain(arguments, Teller(console), stop)


class Teller:
    """Plain lines: every piece of text and every score at once, steps now and then."""

    def __init__(self, console: Any) -> None:
        self.console = console
        self.said = 0.0

    def __call__(self, **values: Any) -> None:
        """One piece of news."""
        score, step = values.get("score"), values.get("step")
        if values.get("warning") or values.get("text"):
            self.say(str(values.get("warning") or values["text"]))
        elif score is not None or time.monotonic() - self.said > SECONDS_BETWEEN_LINES:
            scored = "" if score is None else f" · held out {-score:.4f}"
            left = values.get("seconds_left") or 0.0
            self.say(f"step {step}/{values.get('total')} · loss {values.get('loss', 0.0):.4f}{scored} · {left / 60:.0f} min left")

    def say(self, line: str) -> None:
        """A line, with the time."""
        self.said = time.monotonic()
        self.console.print(f"{time.strftime('%H:%M:%S')} {line}", soft_wrap=True, markup=False, highlight=False)
