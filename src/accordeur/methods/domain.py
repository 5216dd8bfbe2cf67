"""Method `domain`: continued pretraining on raw text (Gururangan et al. 2020, arXiv:2004.10964)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from pydantic import Field

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
from accordeur.models.trained import Positive, Rate, TrainedMethod
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class Domain(TrainedMethod):
    """Reads the domain without labels, then learns the task as cheaply as can be: a head, or nothing where the base writes.

    What it ends in holds the grown base as a folder of its own, from which any other method can start (--base).
    `domain+lora`, or with another method behind the plus, reads and then trains, in one run.
    """

    height: ClassVar[int] = 80
    trained: ClassVar[bool] = True

    text: str | None = None  # file or folder of raw text; none: the train rows, where the task is raw text itself
    rate: Rate = 5e-5
    epochs: Positive | None = 3.0
    length: Annotated[int, Field(ge=8)] = 128  # tokens of a block
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5  # of the budget, for reading, where another method goes on
    then: Method | None = None  # the method behind the plus

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Reads, then answers with the grown base, or hands it on."""
        check_trainable(base)
        if self.then is None:
            require_answers(task, base)
        reading = context.part("domain")
        if self.then:
            reading = replace(reading, budget_seconds=self.share * context.budget_seconds)
        settings = self.loop(rate=self.rate)
        request = DomainRequest(passages=passages(self.text, task), settings=settings, length=self.length)
        grown, record = learn_domain(request, base, reading)
        return grown_from(self.after(task, grown, context), grown, base, {"domain": record})

    def after(self, task: Task, grown: Base, context: Context) -> AdaptedModel:
        """What is made of the grown base."""
        if self.then:
            return self.then.fit(task, grown, replace(context, budget_seconds=(1 - self.share) * context.budget_seconds))
        return fit_headed(task, grown, context) if task.kind == "classify" else untrained(task, grown, context)


def require_answers(task: Task, base: Base) -> None:
    """NotApplicable where a base that has only read can't do the task."""
    if task.kind == "text" and base.family != "decoder":
        raise NotApplicable(
            f"only decoders are scored on raw text, and this base is an {base.family}; to read with it, compare on rows of the "
            "task that comes afterwards, with the text beside them: --text FILE --methods domain+lora"
        )
    labelled = task.kind == "classify" and bool(task.labels)
    if not labelled and not (task.kind in ("text", "write") and base.family == "decoder"):
        raise NotApplicable(
            f"a base that has read a domain does not answer kind {task.kind} by itself; train on it: `domain+lora`"
        )
