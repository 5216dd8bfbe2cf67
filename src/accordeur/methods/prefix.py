"""Method `prefix`: learned keys and values before the text in every block (Li and Liang 2021, arXiv:2101.00190)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.models._surgery import Surgery
from accordeur.models.fit import Moving, check_trainable, fit_moved, leave_room
from accordeur.models.trained import NotNegative, Rates, TunedMethod
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class Prefix(TunedMethod):
    """Trains what every attention finds before the text; the base itself stays as it is."""

    height: ClassVar[int] = 46
    trained: ClassVar[bool] = True

    tokens: int = 20  # virtual ones
    rates: Rates = (3e-3, 1e-2, 3e-2)
    weight_decay: NotNegative = 0.0  # what is learned is no matrix of the base
    trunk_dropout: Literal["off", "keep"] = "off"
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise ValueError(f"expected tokens >= 1, found {self.tokens}")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Trains the virtual tokens, and the head where the kind has one."""
        check_trainable(base)
        shorter, share = leave_room(task, base, self.tokens)
        wanted = {"tokens": self.tokens, "trunk_dropout": self.trunk_dropout}
        moving = Moving(
            surgery=Surgery(name="prefix", settings=wanted), settings=self.loop(), rates=self.tried, pooling=self.pooling
        )
        return fit_moved(shorter, base, context, moving).with_facts(cut_rows=share)
