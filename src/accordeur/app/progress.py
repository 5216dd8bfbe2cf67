"""Live progress of a comparison: one line per run, its step, its time left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

MARKS = {
    "done": "[green]✓[/]",
    "reused": "[green]✓[/]",
    "skipped": "[yellow]–[/]",
    "failed": "[red]✗[/]",
    "started": "▸",
    "interrupted": "▪",
}
SECONDS_BETWEEN_LINES = 10.0  # where the output is no terminal


@dataclass(kw_only=True)
class State:
    """What is known of one run."""

    status: str = "waiting"
    step: int | None = None
    total: int | None = None
    loss: float | None = None
    score: float | None = None
    seconds_left: float | None = None
    text: str = ""
    begun: float = 0.0
    seconds: float = 0.0
    reason: str | None = None


@dataclass(kw_only=True)
class Progress:
    """Listens to a comparison and shows it: a live table in a terminal, plain lines elsewhere."""

    console: Console
    names: Sequence[str]
    states: dict[str, State] = field(default_factory=dict)
    live: Live | None = None
    _said: float = 0.0

    def __enter__(self) -> Progress:
        self.states = {name: State() for name in self.names}
        if self.console.is_terminal:
            self.live = Live(get_renderable=self.render, console=self.console, refresh_per_second=4, transient=True)
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live is not None:
            self.live.stop()

    def tell(self, run: str, status: str | None = None, record: Any = None, **values: Any) -> None:
        """One piece of news of a run."""
        state = self.states[run]
        if status is not None:
            state.begun = time.monotonic() if status == "started" else state.begun
            state.seconds = time.monotonic() - state.begun if state.begun else 0.0
            state.status, state.reason = status, values.pop("reason", None)
        for name, value in values.items():
            if value is not None and name in State.__dataclass_fields__:
                setattr(state, name, value)
        if "text" in values:
            state.step = state.total = state.loss = state.seconds_left = None
            state.step, state.total = values.get("step"), values.get("total")
        if self.live is None:
            self.say(run, state, always=status is not None)

    def say(self, run: str, state: State, *, always: bool) -> None:
        """A plain line, not too often."""
        if state.status == "started" and always:
            return
        if always or time.monotonic() - self._said > SECONDS_BETWEEN_LINES:
            self._said = time.monotonic()
            self.console.print(Text(f"{run}: {state.status if always else doing(state)}{because(state)}"), soft_wrap=True)

    def render(self) -> RenderableType:
        """The live table; long comparisons show what is at work and what is done."""
        table = Table(box=None, padding=(0, 1), show_header=False)
        room = max(6, self.console.height - 4)
        shown = [name for name in self.names if self.states[name].status != "waiting"][-room:]
        for name in shown:
            state = self.states[name]
            table.add_row(MARKS.get(state.status, " "), Text(name), Text(describe(state), overflow="ellipsis", no_wrap=True))
        waiting = sum(state.status == "waiting" for state in self.states.values())
        if waiting:
            table.add_row("", Text(f"{waiting} more"), Text(""))
        return table


def describe(state: State) -> str:
    """One run in a few words."""
    if state.status == "started":
        return doing(state)
    took = f" in {duration(state.seconds)}" if state.seconds and state.status == "done" else ""
    return f"{state.status}{took}{because(state)}"


def doing(state: State) -> str:
    """What a run is at."""
    parts = [state.text or ("training" if state.step else "starting")]
    if state.step is not None and state.total:
        parts.append(f"{state.step}/{state.total}")
    if state.loss is not None:
        parts.append(f"loss {state.loss:.3f}")
    if state.score is not None:
        parts.append(f"validation {state.score:.3f}")
    if state.seconds_left is not None:
        parts.append(f"{duration(state.seconds_left)} left")
    return " · ".join(parts)


def because(state: State) -> str:
    """The reason, where there is one."""
    return f": {state.reason}" if state.reason else ""


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
