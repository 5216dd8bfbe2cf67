"""Method `text-to-text`: every task a string in, a string out (T5: Raffel et al. 2020, arXiv:1910.10683)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.models._surgery import Surgery
from accordeur.models.fit import Moving, check_trainable, fit_moved
from accordeur.models.trained import Rates, TunedMethod
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.tasks._spoken import MOST_CUT, as_text, cut_share


@dataclass(frozen=True, kw_only=True)
class TextToText(TunedMethod):
    """The base learns to write the label, the entities or the answer; no head is added, its own language head answers."""

    height: ClassVar[int] = 95
    trained: ClassVar[bool] = True

    moves: Literal["all", "lora"] = "all"  # every weight, or low-rank adapters
    rank: int = 8  # of the adapters
    alpha: float = 32.0
    rates: Rates = (1e-4, 3e-4, 1e-3)

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0:
            raise ValueError(f"expected rank >= 1 and alpha > 0, found {self.rank}, {self.alpha}")

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Trains on answers in words; validation reads what is written back as labels, tags or spans."""
        check_trainable(base)
        said = as_text(task)
        kind = kind_of(said.kind)
        kind.form(base.family, said)
        codec = Codec(tokenizer=base.tokenizer(), family=base.family, max_length=task.max_length)
        share = cut_share(said, codec, kind)
        if share > MOST_CUT:
            raise NotApplicable(
                f"{100 * share:.0f} % of the rows are longer than {task.max_length} tokens, and text to text has no windows; "
                "raise --max-length where the base can read more"
            )
        adapters = Surgery(name="lora", settings={"rank": self.rank, "alpha": self.alpha, "dropout": 0.1})
        surgery = adapters if self.moves == "lora" else Surgery(name="all")
        moving = Moving(surgery=surgery, settings=self.loop(), rates=self.tried)
        return fit_moved(replace(said, template=None), base, context, moving).with_facts(cut_rows=share)
