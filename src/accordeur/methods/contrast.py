"""Method `contrast`: pairs of texts first, then a head; for few labels (SetFit, Tunstall et al. 2022, arXiv:2209.11055)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.models._surgery import Surgery
from accordeur.models.contrasted import contrastive
from accordeur.models.fit import Moving, check_trainable, fit_moved
from accordeur.models.trained import Positive, Rates, TunedMethod
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class Contrast(TunedMethod):
    """Moves the whole base until texts of one label lie together, then fits a logistic regression on its vectors."""

    height: ClassVar[int] = 75
    trained: ClassVar[bool] = True

    pairs_per_row: int = 8  # of its own label, and as many of others
    c: float = 10.0  # inverse strength of the head's L2 penalty
    rates: Rates = (1e-5, 2e-5, 5e-5)
    epochs: Positive | None = 1.0  # over the pairs
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"

    def __post_init__(self) -> None:
        if self.pairs_per_row < 1 or self.c <= 0:
            raise ValueError(f"expected pairs_per_row >= 1 and c > 0, found {self.pairs_per_row}, {self.c}")
        if self.smoothing or self.noise:
            raise ValueError("pairs are trained without label smoothing and noise: leave smoothing and noise at 0")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Trains on pairs; validation always goes through a head fitted on the vectors of the moment."""
        check_trainable(base)
        if task.kind != "classify" or not task.labels:
            raise NotApplicable("contrast classifies: it takes kind classify with labels only")
        objective = contrastive(task, self.pairs_per_row, self.c, context.seed)
        moving = Moving(
            surgery=Surgery(name="all"),
            settings=self.loop(),
            rates=self.tried,
            pooling=self.pooling,
            dropout=0.0,
            objective=objective,
        )
        return fit_moved(task, base, context, moving)
