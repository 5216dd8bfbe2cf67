"""Method `lexicon`: the floor of tagging. Every word gets the tag it had most often in the train rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import ClassVar

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.method import Method
from accordeur.models.lexicon import Lexicon
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class LexiconMethod(Method):
    """A dictionary from words to tags; what stands around a word is not looked at, and an unknown word is outside."""

    height: ClassVar[int] = 1
    trained: ClassVar[bool] = False
    seeded: ClassVar[bool] = False

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Counts the tags of every word; ties go to the tag that comes first in the task's list."""
        if task.kind != "tag":
            raise NotApplicable(f"a dictionary from words to tags tags: it does not take kind {task.kind}")
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for example in task.train:
            for token, tag in zip(example.given["tokens"], example.expected, strict=True):
                counts[token][tag] += 1
        order = {tag: place for place, tag in enumerate(task.labels)}
        best = {word: max(found, key=lambda tag: (found[tag], -order[tag])) for word, found in counts.items()}
        return Lexicon(best, task.labels[0])
