"""Method `adapter`: bottleneck networks inside a frozen base (Houlsby et al. 2019, arXiv:1902.00751)."""

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
class Adapter(TunedMethod):
    """Trains h + U relu(D h) behind the parts of every block: both (houlsby) or the feed-forward one (pfeiffer)."""

    height: ClassVar[int] = 55
    trained: ClassVar[bool] = True

    placement: Literal["houlsby", "pfeiffer"] = "houlsby"
    reduction: int = 16  # the hidden width over the adapter's own
    rates: Rates = (3e-4, 1e-3, 3e-3)
    trunk_dropout: Literal["off", "keep"] = "off"
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"

    def __post_init__(self) -> None:
        if self.reduction < 1:
            raise ValueError(f"expected reduction >= 1, found {self.reduction}")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Trains the adapters, and the head where the kind has one."""
        wanted = {"placement": self.placement, "reduction": self.reduction, "trunk_dropout": self.trunk_dropout}
        moving = Moving(
            surgery=Surgery(name="bottleneck", settings=wanted), settings=self.loop(), rates=self.tried, pooling=self.pooling
        )
        return fit_moved(task, base, context, moving)
