"""Method `ia3`: learned scales of keys, values and inner activations (Liu et al. 2022, arXiv:2205.05638), by PEFT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.method import Method
from accordeur.models._surgery import Surgery
from accordeur.models.fit import Moving, fit_moved
from accordeur.task import Task
from accordeur.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Ia3(Method):
    """Trains one factor per channel, all 1 at the start: the fewest weights of all that reach into every block."""

    height: ClassVar[int] = 48
    trained: ClassVar[bool] = True

    targets: tuple[str, ...] | None = None  # layers by name, or none: the family's usual ones
    rate: float | None = None  # none: chosen on validation among `rates` where the budget allows
    rates: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    batch_rows: int = 16
    epochs: float | None = None
    schedule: Literal["linear", "cosine", "inverse_sqrt", "exponential", "constant"] = "linear"
    smoothing: float = 0.0
    trunk_dropout: Literal["off", "keep"] = "off"
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Trains the scales, and the head where the kind has one. Scales are not decayed: their neutral value is 1."""
        wanted = {"targets": None if self.targets is None else list(self.targets), "trunk_dropout": self.trunk_dropout}
        settings = TrainingSettings(
            batch_rows=self.batch_rows, epochs=self.epochs, schedule=self.schedule, weight_decay=0.0, smoothing=self.smoothing
        )
        rates = (self.rate,) if self.rate else self.rates
        moving = Moving(surgery=Surgery(name="ia3", settings=wanted), settings=settings, rates=rates, pooling=self.pooling)
        return fit_moved(task, base, context, moving)
