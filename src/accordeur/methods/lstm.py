"""Method `lstm`: an LSTM language model trained from nothing on the train rows of a raw text, over the base's tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.method import Method
from accordeur.models.recurrent import RecurrentText
from accordeur.plan import TrainingPlan
from accordeur.task import Task
from accordeur.tasks import kind_of
from accordeur.training.loop import Lent, train
from accordeur.training.lstm import LstmNetwork, LstmShape
from accordeur.training.settings import TrainingSettings
from accordeur.training.trial import plan_steps

VALIDATION_ROWS = 200


@dataclass(frozen=True, kw_only=True)
class LstmMethod(Method):
    """What stood between counting and transformers: the second floor of raw text."""

    height: ClassVar[int] = 5
    trained: ClassVar[bool] = True

    width: int = 128
    layers: int = 2
    dropout: float = 0.1
    rate: float = 3e-3
    batch_rows: int = 8

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Trains for the budget; keeps the weights with the best validation likelihood."""
        if task.kind != "text":
            raise NotApplicable(f"an LSTM language model models raw text, not kind {task.kind}")
        if base.family == "remote":
            raise NotApplicable("a served model's tokenizer is not here, so its tokens can't be modelled")
        kind_of(task.kind).form(base.family, task)  # NotApplicable where texts have no probability under this tokenizer
        shape = LstmShape(vocabulary=len(base.tokenizer()), width=self.width, layers=self.layers, dropout=self.dropout)
        model = RecurrentText(LstmNetwork(shape, context.seed), task, base, context.device)
        items, judged = model.items(task.train), task.validation[:VALIDATION_ROWS]
        settings = TrainingSettings(rate=self.rate, weight_decay=0.0, warmup=0.05, batch_rows=self.batch_rows)
        pad = model.codec.pad

        def decide() -> dict[str, object]:
            return plan_steps(
                model.network,
                items,
                settings,
                context.device,
                pad=pad,
                budget_seconds=context.budget_seconds,
                validation_rows=len(judged),
                seed=context.seed,
            ).plain()

        def validate() -> float:
            return float(np.concatenate([found.log_probs for found in model.log_probs(judged)]).mean())

        lent = Lent(
            device=context.device,
            pad=pad,
            seed=context.seed,
            folder=context.folder / "training",
            validate=validate,
            note=context.note,
            stop=context.stop,
        )
        training = train(model.network, items, settings, TrainingPlan(**context.planned("training", decide)), lent)
        model.known = {
            "tokens_trained": training.tokens,
            "steps": training.steps,
            "best_step": training.best_step,
            "stopped": training.stopped,
            "curve": list(training.curve),
        }
        return model
