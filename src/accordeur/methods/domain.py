"""Method `domain`: continued pretraining on raw text (Gururangan et al. 2020, arXiv:2004.10964)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.foundations.passages import passages
from accordeur.method import Method
from accordeur.models.domain import DomainRequest, learn_domain, untrained
from accordeur.models.fit import check_trainable
from accordeur.models.grown import grown_from
from accordeur.models.headed import fit_headed
from accordeur.task import Task
from accordeur.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Domain(Method):
    """Reads the domain without labels, then learns the task as cheaply as can be: a head, or nothing where the base writes.

    What it ends in holds the grown base as a folder of its own, from which any other method can start (--base).
    """

    height: ClassVar[int] = 80
    trained: ClassVar[bool] = True

    text: str | None = None  # file or folder of raw text; none: the train rows, where the task is raw text itself
    rate: float = 5e-5
    batch_rows: int = 16
    epochs: float | None = 3.0
    schedule: Literal["linear", "cosine", "inverse_sqrt", "exponential", "constant"] = "linear"
    weight_decay: float = 0.01
    length: int = 128  # tokens of a block

    def __post_init__(self) -> None:
        if self.length < 8 or self.rate <= 0:
            raise ValueError(f"expected length >= 8 and rate > 0, found {self.length}, {self.rate}")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Reads, then answers with the grown base."""
        check_trainable(base)
        labelled = task.kind == "classify" and bool(task.labels)
        if not labelled and not (task.kind in ("text", "write") and base.family == "decoder"):
            raise NotApplicable(
                f"a base that has read a domain does not answer kind {task.kind} by itself; train on it: `domain-lora`"
            )
        settings = TrainingSettings(
            rate=self.rate,
            batch_rows=self.batch_rows,
            epochs=self.epochs,
            schedule=self.schedule,
            weight_decay=self.weight_decay,
        )
        request = DomainRequest(passages=passages(self.text, task), settings=settings, length=self.length)
        grown, record = learn_domain(request, base, context.part("domain"))
        inner = fit_headed(task, grown, context) if labelled else untrained(task, grown, context)
        return grown_from(inner, grown, base, {"domain": record})
