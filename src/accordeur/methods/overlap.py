"""Method `overlap`: the floor of extraction. The words of the context around which most of the question stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.method import Method
from accordeur.models.overlap import Overlap
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class OverlapMethod(Method):
    """A sliding window over the context (Richardson et al. 2013), as long as the median train answer; always answers."""

    height: ClassVar[int] = 1
    trained: ClassVar[bool] = False
    seeded: ClassVar[bool] = False

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Takes the length of an answer from the train rows, and nothing else."""
        if task.kind != "extract":
            raise NotApplicable(f"a window over a context extracts: it does not take kind {task.kind}")
        lengths = [len(re.findall(r"\w+", answer["text"])) for example in task.train for answer in example.expected[:1]]
        return Overlap(max(1, round(float(np.median(lengths)))) if lengths else 1)
