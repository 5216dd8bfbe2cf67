"""Method `contrast`: pairs of texts first, then a head; for few labels (SetFit, Tunstall et al. 2022, arXiv:2209.11055)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.method import Method
from accordeur.models._surgery import Surgery
from accordeur.models.contrasted import contrastive
from accordeur.models.fit import Moving, check_trainable, fit_moved
from accordeur.task import Task
from accordeur.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Contrast(Method):
    """Moves the whole base until texts of one label lie together, then fits a logistic regression on its vectors."""

    height: ClassVar[int] = 75
    trained: ClassVar[bool] = True

    pairs_per_row: int = 8  # of its own label, and as many of others
    c: float = 10.0  # inverse strength of the head's L2 penalty
    rate: float | None = None  # none: chosen on validation among `rates` where the budget allows
    rates: tuple[float, ...] = (1e-5, 2e-5, 5e-5)
    batch_rows: int = 16  # pairs
    epochs: float | None = 1.0  # over the pairs
    schedule: Literal["linear", "cosine", "inverse_sqrt", "exponential", "constant"] = "linear"
    weight_decay: float = 0.01
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"

    def __post_init__(self) -> None:
        if self.pairs_per_row < 1 or self.c <= 0:
            raise ValueError(f"expected pairs_per_row >= 1 and c > 0, found {self.pairs_per_row}, {self.c}")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Trains on pairs; validation always goes through a head fitted on the vectors of the moment."""
        check_trainable(base)
        if task.kind != "classify" or not task.labels:
            raise NotApplicable("contrast classifies: it takes kind classify with labels only")
        settings = TrainingSettings(
            batch_rows=self.batch_rows, epochs=self.epochs, schedule=self.schedule, weight_decay=self.weight_decay
        )
        objective = contrastive(task, self.pairs_per_row, self.c, context.seed)
        rates = (self.rate,) if self.rate else self.rates
        moving = Moving(
            surgery=Surgery(name="all"), settings=settings, rates=rates, pooling=self.pooling, dropout=0.0, objective=objective
        )
        return fit_moved(task, base, context, moving)
