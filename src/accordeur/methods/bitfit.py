"""Method `bitfit`: only the biases of the base move (Ben Zaken et al. 2022, arXiv:2106.10199)."""

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
class Bitfit(TunedMethod):
    """Trains under a thousandth of the weights; families without biases (T5, Llama) can't be moved by it."""

    height: ClassVar[int] = 50
    trained: ClassVar[bool] = True

    rates: Rates = (1e-3, 3e-3, 1e-2)
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Trains the biases, and the head where the kind has one."""
        moving = Moving(surgery=Surgery(name="biases"), settings=self.loop(), rates=self.tried, pooling=self.pooling)
        return fit_moved(task, base, context, moving)
