"""Method `full`: every weight of the base moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.models._surgery import Surgery
from accordeur.models.fit import Moving, fit_moved
from accordeur.models.trained import Rates, TunedMethod
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class Full(TunedMethod):
    """Full fine-tuning with AdamW, warm-up and decay (Devlin et al. 2019 for encoders)."""

    height: ClassVar[int] = 90
    trained: ClassVar[bool] = True

    rates: Rates = (3e-5, 1e-4, 3e-4)
    layer_decay: float = 1.0  # factor of the rate per block downwards; 0.9 keeps the lower ones nearer to where they were
    dropout: float = 0.1  # before the head; the base keeps its own
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"

    def __post_init__(self) -> None:
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f"expected layer_decay above 0 and at most 1, found {self.layer_decay}")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Trains everything."""
        moving = Moving(
            surgery=Surgery(name="all"),
            settings=self.loop(layer_decay=self.layer_decay),
            rates=self.tried,
            pooling=self.pooling,
            dropout=self.dropout,
        )
        return fit_moved(task, base, context, moving)
