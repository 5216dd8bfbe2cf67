"""Method `majority`: the floor. Always the most frequent answer of the train rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.method import Method
from accordeur.models.constant import Constant, unigram_log_probs
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class Majority(Method):
    """Answers with the most frequent label (or text); what a method must beat to have learned anything."""

    height: ClassVar[int] = 0
    trained: ClassVar[bool] = False
    seeded: ClassVar[bool] = False

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Counts. For texts the likelihood is that of a unigram model over the base's tokens."""
        if task.kind == "classify" and task.labels:
            counts = Counter(str(example.expected) for example in task.train)
            total = counts.total() + len(task.labels)
            shares = {label: (counts[label] + 1) / total for label in task.labels}
            return Constant(max(shares, key=lambda label: shares[label]), shares=shares)
        if task.kind == "write":
            answers = [str(example.expected) for example in task.train]
            answer = Counter(answers).most_common(1)[0][0]
            return Constant(answer, base=base, unigram=None if base.family == "remote" else unigram_log_probs(answers, base))
        graded = "graded rows" if task.kind == "classify" else f"kind {task.kind}"
        raise NotApplicable(f"there is no most frequent answer for {graded}")
