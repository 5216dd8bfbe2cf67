"""Method `neighbour`: a floor that remembers. The answer of the most similar train row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.method import Method
from accordeur.models._floor import cache_of
from accordeur.models.neighbour import Neighbour
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class NeighbourMethod(Method):
    """The nearest row by TF-IDF of its letters: what looking the question up is worth, without understanding it."""

    height: ClassVar[int] = 2
    trained: ClassVar[bool] = False
    seeded: ClassVar[bool] = False

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Keeps the train rows. A written answer has the likelihood of a unigram cache over the neighbour's."""
        if task.kind == "classify":
            return Neighbour(task.train, None)
        if task.kind == "write":
            return Neighbour(task.train, cache_of([str(example.expected) for example in task.train], base))
        raise NotApplicable(f"a neighbour's answer belongs to its own text: it answers nothing of kind {task.kind}")
