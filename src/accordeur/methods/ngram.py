"""Method `ngram`: the floor of raw text. Counts what followed what in the train rows (modified Kneser-Ney)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.method import Method
from accordeur.models.counted import CountedText, codec_of, start_id
from accordeur.task import Task
from accordeur.training.counts import count


@dataclass(frozen=True, kw_only=True)
class Ngram(Method):
    """No neural network at all: what a language model must beat on raw text, over the same tokens."""

    height: ClassVar[int] = 0
    trained: ClassVar[bool] = True
    seeded: ClassVar[bool] = False

    order: int = 5  # tokens of the longest n-gram

    def __post_init__(self) -> None:
        if not 1 <= self.order <= 10:
            raise ValueError(f"order {self.order}: expected 1 to 10")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Counts the train rows, each behind the base's start token, as it is scored: no row's end is asked."""
        if task.kind != "text":
            raise NotApplicable(f"an n-gram model models raw text, not kind {task.kind}")
        if base.family == "remote":
            raise NotApplicable("a served model's tokenizer is not here, so its tokens can't be counted")
        codec = codec_of(base)
        start = start_id(codec)
        ids = [number for example in task.train for number in (start, *codec.plain(str(example.expected)))]
        return CountedText(count(ids, len(codec.tokenizer), self.order, start=start), base)
