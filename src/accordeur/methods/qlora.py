"""Method `qlora`: low-rank adapters beside a base held in 4 or 8 bits (Dettmers et al. 2023, arXiv:2305.14314)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.models._surgery import Surgery
from accordeur.models.fit import Moving, check_trainable, fit_moved
from accordeur.models.trained import Rates, TunedMethod
from accordeur.task import Task
from accordeur.training.quantised import check_installed


@dataclass(frozen=True, kw_only=True)
class Qlora(TunedMethod):
    """As `lora`, with the blocks' matrices quantised: for bases that would not fit in memory. Needs bitsandbytes."""

    height: ClassVar[int] = 62
    trained: ClassVar[bool] = True

    bits: Literal["nf4", "int8"] = "nf4"
    rank: int = 8
    alpha: float = 32.0
    dropout: float = 0.1
    targets: tuple[str, ...] | Literal["all-linear"] | None = "all-linear"  # layers by name, all, or none: the usual ones
    rates: Rates = (3e-4, 1e-3, 3e-3)
    trunk_dropout: Literal["off", "keep"] = "off"
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            found = f"{self.rank}, {self.alpha}, {self.dropout}"
            raise ValueError(f"expected rank >= 1, alpha > 0 and dropout in [0, 1), found {found}")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Quantises, then trains the adapters, and the head where the kind has one."""
        check_trainable(base)
        check_installed()
        targets = list(self.targets) if isinstance(self.targets, tuple) else self.targets
        wanted = {
            "bits": self.bits,
            "rank": self.rank,
            "alpha": self.alpha,
            "dropout": self.dropout,
            "targets": targets,
            "trunk_dropout": self.trunk_dropout,
        }
        moving = Moving(
            surgery=Surgery(name="qlora", settings=wanted), settings=self.loop(), rates=self.tried, pooling=self.pooling
        )
        return fit_moved(task, base, context, moving)
