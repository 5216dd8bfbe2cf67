"""Method `ia3`: learned scales of keys, values and inner activations (Liu et al. 2022, arXiv:2205.05638), by PEFT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.models._surgery import Surgery
from accordeur.models.fit import Moving, fit_moved
from accordeur.models.trained import NotNegative, Rates, TunedMethod
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class Ia3(TunedMethod):
    """Trains one factor per channel, all 1 at the start: the fewest weights of all that reach into every block."""

    height: ClassVar[int] = 48
    trained: ClassVar[bool] = True

    targets: tuple[str, ...] | None = None  # layers by name, or none: the family's usual ones
    rates: Rates = (3e-3, 1e-2, 3e-2)
    weight_decay: NotNegative = 0.0  # a scale's neutral value is 1
    trunk_dropout: Literal["off", "keep"] = "off"
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Trains the scales, and the head where the kind has one. Scales are not decayed: their neutral value is 1."""
        wanted = {"targets": None if self.targets is None else list(self.targets), "trunk_dropout": self.trunk_dropout}
        moving = Moving(
            surgery=Surgery(name="ia3", settings=wanted), settings=self.loop(), rates=self.tried, pooling=self.pooling
        )
        return fit_moved(task, base, context, moving)
