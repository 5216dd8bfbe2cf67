"""What a method is lent while it works: seed, budget, device plan, a place to write, and a way to say how far it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accordeur.errors import Interrupted
from accordeur.plan import DevicePlan
from accordeur.run import Answered
from accordeur.store import read_json, write_json

PLAN_FILE = "plan.json"


def silent(*_: Any, **__: Any) -> None:
    """A listener for nobody."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """Lent to one run. `folder` is its scratch place, kept until the run is done; `cache` is shared by all runs."""

    seed: int
    folder: Path
    cache: Path
    budget_seconds: float = 300.0
    device: DevicePlan = field(default_factory=DevicePlan)
    on_note: Callable[..., None] = silent
    stop: Callable[[], bool] = bool
    on_judged: Callable[[Sequence[Answered]], None] = silent  # hears the answers of every validation, before its note

    def note(self, **values: Any) -> None:
        """Says how far the work is: step=, total=, loss=, score=, seconds_left=, text=."""
        self.on_note(**values)

    def planned(self, name: str, decide: Callable[[], Any]) -> Any:
        """A decision that depends on the clock, taken once: the first call decides and stores, later ones read.

        So a resumed run takes the same steps as an uninterrupted one. `decide` returns JSON-ready data.
        """
        path = self.folder / PLAN_FILE
        decisions: dict[str, Any] = read_json(path) if path.exists() else {}
        if name not in decisions:
            decisions[name] = decide()
            write_json(path, decisions)
        return decisions[name]

    def decisions(self) -> dict[str, Any]:
        """Everything planned so far, for the record."""
        path = self.folder / PLAN_FILE
        return dict(read_json(path)) if path.exists() else {}

    def check_stop(self) -> None:
        """Raises Interrupted where the user asked to stop; for methods to call between two pieces of work."""
        if self.stop():
            raise Interrupted("stopped on request", hint="the same command goes on from here")

    def part(self, name: str) -> Context:
        """The same lent things with a folder of its own below this one, for a trial or a stage."""
        return Context(
            seed=self.seed,
            folder=self.folder / name,
            cache=self.cache,
            budget_seconds=self.budget_seconds,
            device=self.device,
            on_note=self.on_note,
            stop=self.stop,
        )

    def forget(self) -> None:
        """Removes the scratch place."""
        shutil.rmtree(self.folder, ignore_errors=True)
