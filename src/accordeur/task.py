"""A named job: frozen train, validation and test rows of one kind, and what is measured on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from accordeur.example import Example
from accordeur.store import fingerprint, fingerprint_rows

KindName = Literal["classify", "tag", "extract", "write", "prefer", "text"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One dataset ready to be learned. The first metric is *primary*."""

    name: str
    kind: KindName
    train: Sequence[Example]
    validation: Sequence[Example]
    test: Sequence[Example]
    metrics: tuple[str, ...]
    labels: tuple[str, ...] = ()  # classify: class names (none for grades); tag: IOB2 tags; extract: "no answer" if possible
    definitions: tuple[str, ...] = ()  # one description per label, where the user gave them
    template: str | None = None  # write: a Jinja template that replaces the default one
    prompts: tuple[str, ...] = ()  # the user's own prompt templates
    max_length: int = 512  # tokens a row may have; longer ones are counted and shown before training
    beams: int = 1  # of the search by which answers are written; 1 is greedy

    @property
    def primary(self) -> str:
        """The metric that decides."""
        return self.metrics[0]

    def frame(self) -> Task:
        """The same task without its rows: what a saved model needs to know."""
        return replace(self, train=(), validation=(), test=())

    @cached_property
    def fingerprint(self) -> str:
        """Names the rows and everything that changes what a model is asked; not the task's name."""
        written = {"beams": self.beams} if self.beams > 1 else {}
        return fingerprint(
            {
                **written,
                "kind": self.kind,
                "rows": [rows_fingerprint(part) for part in (self.train, self.validation, self.test)],
                "ask": [self.metrics, self.labels, self.definitions, self.template, self.prompts, self.max_length],
            }
        )


def rows_fingerprint(examples: Sequence[Example]) -> str:
    """Names some rows by what is given, what is expected, their ids and their order."""
    return fingerprint_rows([example.id, dict(example.given), example.expected] for example in examples)
