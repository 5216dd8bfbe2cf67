"""Method `freeze`: only the topmost blocks and the head move (Lee et al. 2019; gradually: Howard and Ruder 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.models._surgery import Surgery
from accordeur.models.fit import Moving, Work, check_trainable, fit_moved
from accordeur.models.trained import Rates, TunedMethod
from accordeur.task import Task
from accordeur.training.batches import steps_per_epoch
from accordeur.training.trainable import stack

ENOUGH = 3.0  # epochs that a number of blocks must leave time for


@dataclass(frozen=True, kw_only=True)
class Freeze(TunedMethod):
    """Trains the top k blocks; the lower ones stay frozen and cost no backward pass."""

    height: ClassVar[int] = 70
    trained: ClassVar[bool] = True

    layers: int | None = None  # none: half of the blocks, fewer where the budget would not allow three epochs
    gradual: float = 0.0  # share of the steps over which the blocks start to move, one by one from the top
    rates: Rates = (5e-5, 2e-4, 5e-4)
    layer_decay: float = 1.0
    trunk_dropout: Literal["off", "keep"] = "off"  # of the blocks that stay: off, they are computed once
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"

    def __post_init__(self) -> None:
        if self.layers is not None and self.layers < 1:
            raise ValueError(f"expected layers >= 1, found {self.layers}")
        if not 0 <= self.gradual < 1 or not 0 < self.layer_decay <= 1:
            raise ValueError(f"expected gradual in [0, 1) and layer_decay in (0, 1], found {self.gradual}, {self.layer_decay}")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Settles how many blocks, then trains them and the head."""
        check_trainable(base)
        layers = self.layers or int(context.planned("layers", lambda: self.affordable(task, base, context)))
        return fit_moved(task, base, context, self.moving(layers))

    def moving(self, layers: int) -> Moving:
        """What is asked for with so many blocks."""
        surgery = Surgery(name="top", settings={"layers": layers, "trunk_dropout": self.trunk_dropout})
        return Moving(
            surgery=surgery,
            settings=self.loop(layer_decay=self.layer_decay, gradual=self.gradual),
            rates=self.tried,
            pooling=self.pooling,
        )

    def affordable(self, task: Task, base: Base, context: Context) -> int:
        """Half of the blocks, halved again for as long as a trial says that fewer than three epochs fit the budget."""
        first = Work(task=task, base=base, context=context, moving=self.moving(1))
        layers, items = max(1, len(stack(first.fresh().network)) // 2), first.items()
        wanted = steps_per_epoch(len(items), self.batch_rows) * min(ENOUGH, self.epochs or ENOUGH)
        while layers > 1:
            plan = Work(task=task, base=base, context=context, moving=self.moving(layers)).plan(items)
            if plan.steps >= wanted:
                break
            layers //= 2
        return layers
