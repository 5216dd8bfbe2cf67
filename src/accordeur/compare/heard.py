"""What a sweep knows of one candidate: the answers of its best validation so far, kept on disk."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.compare.halving import Rung
from accordeur.models.judge import deciding_metric
from accordeur.run import Answered
from accordeur.store import read_json, write_json
from accordeur.task import Task

FILE = "seen.json"


@dataclass(kw_only=True)
class Seen:
    """How far a candidate is, and what it is judged by: (rows, k) sums of the metric at its best validation."""

    step: int = 0  # of the last validation
    score: float | None = None  # of the best one, higher is better
    metric: str = ""
    statistics: list[list[float]] = field(default_factory=list)
    ended: bool = False  # it has come to its own end, and can't go on
    fault: str = ""  # it broke


@dataclass(kw_only=True)
class Ear:
    """Listens to one candidate while it is fitted."""

    folder: Path
    task: Task
    seen: Seen = field(default_factory=Seen)
    answers: Sequence[Answered] = ()

    @classmethod
    def beside(cls, folder: Path, task: Task) -> Ear:
        """With what was heard before, by an earlier process too."""
        place = folder / FILE
        return cls(folder=folder, task=task, seen=Seen(**read_json(place)) if place.is_file() else Seen())

    def hear(self, answers: Sequence[Answered]) -> None:
        """The answers of a validation; its note follows."""
        self.answers = answers

    def note(self, step: int = 0, score: float | None = None, **_: Any) -> None:
        """The note of a validation. A run that is told twice of one, after it was killed, is none the wiser."""
        if score is None or not self.answers:
            return
        metric = deciding_metric(self.answers, self.task)
        table = metric.statistics(self.answers, self.task.labels)
        self.answers, self.seen.step = (), step
        if np.isfinite(table).all() and (self.seen.score is None or score > self.seen.score):
            self.seen.score, self.seen.metric, self.seen.statistics = score, metric.name, table.tolist()
        self.keep()

    def end(self, fault: str = "") -> None:
        """It has ended, or broken."""
        self.seen.ended, self.seen.fault = True, fault or ("" if self.seen.statistics else "no validation gave a finite score")
        self.keep()

    def keep(self) -> None:
        """Writes what is known."""
        write_json(self.folder / FILE, asdict(self.seen))

    def due(self, rung: Rung, training: Mapping[str, Any] | None) -> bool:
        """Whether it is far enough to be judged; without planned steps there is no way to stop and go on."""
        if self.seen.ended:
            return True
        if rung.share == 1 or not training or not self.seen.step:
            return False
        every = training["evaluate_every"]
        validations = max(1, round(rung.share * math.ceil(training["steps"] / every)))
        return bool(self.seen.step >= validations * every)
