"""Method `lora`: low-rank adapters in a frozen base (Hu et al. 2022, arXiv:2106.09685), by PEFT."""

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
class Lora(TunedMethod):
    """Trains B A, of rank r, beside each chosen weight: W x + (alpha / r) B A x. The base stays as it is."""

    height: ClassVar[int] = 60
    trained: ClassVar[bool] = True

    rank: int = 8
    alpha: float = 32.0
    dropout: float = 0.1
    targets: tuple[str, ...] | Literal["all-linear"] | None = None  # layers by name, all, or none: the family's usual ones
    rslora: bool = False  # scale by alpha / sqrt(rank) instead (Kalajdzievski 2023)
    dora: bool = False  # learn the norms of the columns apart (DoRA, Liu et al. 2024)
    b_factor: float = 1.0  # rate of B over that of A (LoRA+, Hayou et al. 2024, recommends 16)
    rates: Rates = (3e-4, 1e-3, 3e-3)
    layers: int | None = None  # adapters in so many topmost blocks only: what lies below is then computed once
    trunk_dropout: Literal["off", "keep"] = "off"
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            found = f"{self.rank}, {self.alpha}, {self.dropout}"
            raise ValueError(f"expected rank >= 1, alpha > 0 and dropout in [0, 1), found {found}")
        if self.b_factor <= 0:
            raise ValueError(f"expected b_factor > 0, found {self.b_factor}")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Trains the adapters, and the head where the kind has one."""
        targets = list(self.targets) if isinstance(self.targets, tuple) else self.targets
        wanted = {
            "rank": self.rank,
            "alpha": self.alpha,
            "dropout": self.dropout,
            "targets": targets,
            "trunk_dropout": self.trunk_dropout,
            **({} if self.layers is None else {"layers": self.layers}),
            "use_rslora": self.rslora,
            "use_dora": self.dora,
        }
        moving = Moving(
            surgery=Surgery(name="lora", settings=wanted),
            settings=self.loop(b_factor=self.b_factor),
            rates=self.tried,
            pooling=self.pooling,
        )
        return fit_moved(task, base, context, moving)
