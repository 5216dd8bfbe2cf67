"""Method `domain-lora`: continued pretraining on raw text, then low-rank adapters for the task, in one run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.foundations.passages import passages
from accordeur.method import Method
from accordeur.models._surgery import Surgery
from accordeur.models.domain import DomainRequest, learn_domain
from accordeur.models.fit import Moving, check_trainable, fit_moved
from accordeur.models.grown import grown_from
from accordeur.task import Task
from accordeur.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class DomainLora(Method):
    """Half of the budget reads the domain with every weight, the other half trains a LoRA on what came out."""

    height: ClassVar[int] = 85
    trained: ClassVar[bool] = True

    text: str | None = None  # file or folder of raw text; none: the train rows, where the task is raw text itself
    domain_rate: float = 5e-5
    domain_epochs: float | None = 3.0
    length: int = 128  # tokens of a block of raw text
    share: float = 0.5  # of the budget, for reading
    rank: int = 8
    alpha: float = 32.0
    dropout: float = 0.1
    rate: float | None = None  # none: chosen on validation among `rates` where the budget allows
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3)
    batch_rows: int = 16
    epochs: float | None = None

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            found = f"{self.rank}, {self.alpha}, {self.dropout}"
            raise ValueError(f"expected rank >= 1, alpha > 0 and dropout in [0, 1), found {found}")
        if not 0 < self.share < 1 or self.length < 8:
            raise ValueError(f"expected share in (0, 1) and length >= 8, found {self.share}, {self.length}")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Reads, then trains."""
        check_trainable(base)
        reading = replace(context.part("domain"), budget_seconds=self.share * context.budget_seconds)
        settings = TrainingSettings(rate=self.domain_rate, epochs=self.domain_epochs, batch_rows=self.batch_rows)
        request = DomainRequest(passages=passages(self.text, task), settings=settings, length=self.length)
        grown, record = learn_domain(request, base, reading)
        wanted = {"rank": self.rank, "alpha": self.alpha, "dropout": self.dropout}
        moving = Moving(
            surgery=Surgery(name="lora", settings=wanted),
            settings=TrainingSettings(batch_rows=self.batch_rows, epochs=self.epochs),
            rates=(self.rate,) if self.rate else self.rates,
        )
        rest = replace(context, budget_seconds=(1 - self.share) * context.budget_seconds)
        return grown_from(fit_moved(task, grown, rest, moving), grown, base, {"domain": record})
