"""Method `fewshot`: the base as it is, shown worked examples before every question (Brown et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.method import Method
from accordeur.models._asking import Shots, prompts_of
from accordeur.models.ask import choose, open_asking, spread
from accordeur.models.judge import sample
from accordeur.task import Task

POOL = 2000  # train rows among which the nearest are looked for


@dataclass(frozen=True, kw_only=True)
class Fewshot(Method):
    """Worked examples in the prompt: the same for every row, or for each row the nearest; how many is chosen on validation."""

    height: ClassVar[int] = 30
    trained: ClassVar[bool] = False

    examples: Literal["fixed", "nearest"] = "fixed"
    counts: tuple[int, ...] = (2, 4, 8)

    def __post_init__(self) -> None:
        if not self.counts or min(self.counts) < 1:
            raise ValueError(f"counts must be at least 1, found {self.counts}")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Picks the number of examples on validation rows; nothing else is fitted."""
        if base.family == "encoder":
            raise NotApplicable("an encoder reads no examples in a prompt; `head` learns from them instead")
        if task.kind == "text":
            raise NotApplicable("a raw text asks nothing that worked examples could answer")
        pool = self.pool(task, context.seed)
        prompt = next(prompt for prompt in prompts_of(task) if prompt.name.startswith(("yours", "role")))
        model = open_asking(task, base, prompt, context)
        candidates = {
            f"{count} {self.examples}": (
                prompt,
                Shots(choice=self.examples, count=count, pool=pool[: count if self.examples == "fixed" else POOL]),
            )
            for count in self.counts
            if count <= len(pool)
        }
        chosen, scores = choose(task, model, candidates, context)
        return chosen.with_facts(shots=spread(scores), examples=chosen.shots.count)

    def pool(self, task: Task, seed: int) -> tuple[Example, ...]:
        """Rows to show: drawn by the seed, and for fixed ones in turn over the labels, so that few still cover many."""
        rows = sample(task.train, POOL, seed)
        if self.examples == "nearest":
            return tuple(rows)
        shuffled = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
        seen: dict[str, int] = {}
        turns = []
        for row in shuffled:
            label = str(row.expected) if task.labels else ""
            turns.append(seen.get(label, 0))
            seen[label] = turns[-1] + 1
        order = np.argsort(np.asarray(turns), kind="stable") if task.labels else np.arange(len(shuffled))
        return tuple(shuffled[place] for place in order[: max(self.counts)])
