"""Method `head`: the base stays frozen; a logistic regression learns on its sentence vectors, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.method import Method
from accordeur.models.headed import fit_headed
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class Head(Method):
    """Features by the base's own pooling, then multinomial logistic regression with an L2 penalty, or a small network."""

    height: ClassVar[int] = 40
    trained: ClassVar[bool] = True
    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"
    c: float = 1.0  # inverse strength of the L2 penalty, scikit-learn's default
    hidden: int = 0  # units of a hidden layer (Adam, the best epoch by validation); 0: logistic regression

    def __post_init__(self) -> None:
        if self.c <= 0 or self.hidden < 0:
            raise ValueError(f"expected c > 0 and hidden >= 0, found {self.c}, {self.hidden}")

    @property
    def seeded(self) -> bool:  # type: ignore[override]
        """Only the small network starts at random."""
        return self.hidden > 0

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Encodes every train row once; the encoding is shared with later runs on the same base."""
        if base.family == "remote":
            raise NotApplicable("this base can't be trained: a served model gives no sentence vectors")
        if task.kind != "classify" or not task.labels:
            raise NotApplicable("head classifies: it takes kind classify with labels only")
        return fit_headed(task, base, context, pooling=self.pooling, c=self.c, hidden=self.hidden)
