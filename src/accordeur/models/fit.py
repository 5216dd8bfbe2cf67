"""The one way in which any method moves weights: build, plan, choose a rate, train, keep the best by validation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accordeur.base import Base
from accordeur.context import Context, silent
from accordeur.errors import NotApplicable
from accordeur.example import Encoded
from accordeur.models._surgery import Surgery
from accordeur.models._writing import longest_answer
from accordeur.models.encoded import train_items
from accordeur.models.judge import LIKELIHOODS, deciding_metric, sample, score, validation_answers
from accordeur.models.kept import own_what_moves
from accordeur.models.moved import WRITTEN, Moved, build_network
from accordeur.plan import TrainingPlan
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.tasks._spoken import MOST_CUT, cut_share
from accordeur.training.loop import Lent, Training, train
from accordeur.training.network import Network
from accordeur.training.settings import TrainingSettings
from accordeur.training.trial import plan_steps

VALIDATION_ROWS = 500  # rows that early stopping and choices look at
WRITTEN_ROWS = 100  # the same where answers are written token by token, which takes long
TIMED_ROWS = 32  # of them, answered once to know how long that takes
TRIAL_SHARE = 0.12  # of the steps, for each rate that is tried
LEAST_TRIAL_STEPS = 30  # fewer would not tell rates apart
BOUNDARIES = "boundaries"  # activations of frozen blocks, in the cache of all runs
SAFETY = 3.0  # times the budget, after which the clock stops a run that its plan did not


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Something to train on in place of the task's own loss."""

    rows: Callable[[Sequence[Encoded]], Sequence[Encoded]]  # what is trained on, made of the encoded train rows
    around: Callable[[Network], Any]  # the network with another loss
    settle: Callable[[Moved], None]  # what the rest of the model follows from the trunk by, before every validation


@dataclass(frozen=True, kw_only=True)
class Moving:
    """What a method asks for: the preparation, the loop's settings, and the rates it would try."""

    surgery: Surgery
    settings: TrainingSettings
    rates: Sequence[float] = ()  # more than one: chosen on validation where the budget allows
    pooling: str = "own"
    dropout: float = 0.1
    objective: Objective | None = None  # none: the task's own loss


def fit_moved(task: Task, base: Base, context: Context, moving: Moving) -> Moved:
    """Adapts a base by moving weights; deterministic given the plan, and resumable at every step."""
    check_trainable(base)
    work = Work(task=task, base=base, context=context, moving=moving)
    items = work.items()
    plan = TrainingPlan(**context.planned("training", lambda: work.plan(items).plain()))
    rate = work.choose_rate(items, plan)
    context.note(text="training")
    model, training = work.train(items, trimmed(plan, work.rates(), rate), rate, "training")
    return model.with_facts(
        rate=rate,
        tokens_trained=training.tokens,
        steps=training.steps,
        epochs=training.steps * moving.settings.batch_rows / max(1, len(items)),
        best_step=training.best_step,
        validation=training.best_score,
        stopped=training.stopped,
        curve=list(training.curve),
    )


def check_trainable(base: Base) -> None:
    """NotApplicable for a served model, whose weights are not here."""
    if base.family == "remote":
        raise NotApplicable("this base can't be trained: it is served elsewhere")


def leave_room(task: Task, base: Base, tokens: int) -> tuple[Task, float]:
    """(the task with rows so short that so many positions stay free, the share that this cuts); NotApplicable for too many."""
    if base.positions is None or task.max_length + tokens <= base.positions:
        return task, 0.0
    room = base.positions - tokens
    shorter = replace(task, max_length=room)
    codec = Codec(tokenizer=base.tokenizer(), family=base.family, max_length=room)
    share = cut_share(shorter, codec, kind_of(task.kind)) if room > 0 else 1.0
    if share > MOST_CUT:
        raise NotApplicable(
            f"{tokens} virtual tokens leave {max(0, room)} of {base.positions} positions for the text, "
            f"which would cut {100 * share:.0f} % of the rows; choose fewer tokens"
        )
    return shorter, share


@dataclass(frozen=True, kw_only=True)
class Work:
    """One fit at work."""

    task: Task
    base: Base
    context: Context
    moving: Moving

    def fresh(self) -> Moved:
        """The base as it was before anything moved, prepared."""
        moving, device = self.moving, self.context.device
        network = build_network(
            self.task, self.base, moving.surgery, pooling=moving.pooling, dropout=moving.dropout, seed=self.context.seed
        )
        if self.base.source:
            own_what_moves(network)
        model = Moved(self.task, self.base, network, moving.surgery, device)
        return (
            model.with_facts(answer_limit=longest_answer(self.task.train, self.task, model.codec))
            if not network.outputs
            else model
        )

    def items(self) -> Sequence[Encoded]:
        """The train rows as ids, or what the objective makes of them."""
        asked = train_items(self.task, self.base, self.context.cache)
        return self.moving.objective.rows(list(asked)) if self.moving.objective else asked

    def around(self, model: Moved) -> Any:
        """The network as the loop sees it."""
        return self.moving.objective.around(model.network) if self.moving.objective else model.network

    def judged(self, model: Moved, rows: Sequence[Any]) -> float:
        """The validation score, once everything that follows from the trunk is settled."""
        if self.moving.objective:
            self.moving.objective.settle(model)
        answers = validation_answers(model, rows, self.task)
        self.context.on_judged(answers)
        return score(answers, deciding_metric(answers, self.task), self.task)

    def validation(self) -> Sequence[Any]:
        """The rows that early stopping looks at: a sample drawn once by the seed where there are many."""
        return sample(self.task.validation, WRITTEN_ROWS if self.written else VALIDATION_ROWS, self.context.seed)

    @property
    def written(self) -> bool:
        """Whether a validation has to write answers: it is judged by words, and the base's own language head gives them."""
        form = kind_of(self.task.kind).form(self.base.family, self.task)
        return form in WRITTEN and self.task.primary not in LIKELIHOODS

    def answer_seconds(self, model: Moved) -> float | None:
        """Seconds per validation row, where that is more than a forward pass: answers are written, or a head is fitted before."""
        objective = self.moving.objective
        rows = self.validation() if objective else self.validation()[:TIMED_ROWS]
        if not rows or not (objective or self.written):
            return None
        begun = time.perf_counter()
        if objective:
            objective.settle(model)
        validation_answers(model, rows, self.task)
        return (time.perf_counter() - begun) / len(rows)

    def plan(self, items: Sequence[Encoded]) -> TrainingPlan:
        """A budget turned into steps by a short trial."""
        context, model = self.context, self.fresh()
        context.note(text="measuring the speed of a few steps")
        settings = replace(self.moving.settings, rate=self.rates()[0])
        return plan_steps(
            self.around(model),
            items,
            settings,
            context.device,
            pad=model.codec.pad,
            budget_seconds=context.budget_seconds,
            validation_rows=len(self.validation()),
            seed=context.seed,
            cache=context.cache / BOUNDARIES,
            answer_seconds=self.answer_seconds(model),
        )

    def rates(self) -> tuple[float, ...]:
        """The rates in question."""
        return tuple(self.moving.rates) or (self.moving.settings.rate,)

    def choose_rate(self, items: Sequence[Encoded], plan: TrainingPlan) -> float:
        """The rate that scores best on validation after a short run of each.

        The middle one where the budget is too small, or where all score alike, which is when no answer is right yet: a lower
        training loss then speaks for rates at which a longer run falls apart.
        """
        rates = self.rates()
        steps = trial_steps(plan, rates)
        if not steps:
            return rates[len(rates) // 2]
        scores = {f"{rate:g}": self.context.planned(f"rate-{rate:g}", self.trial(items, plan, rate, steps)) for rate in rates}
        if len(set(scores.values())) == 1:
            return rates[len(rates) // 2]
        return max(rates, key=lambda rate: scores[f"{rate:g}"])

    def trial(self, items: Sequence[Encoded], plan: TrainingPlan, rate: float, steps: int) -> Callable[[], float]:
        """A short run at one rate, when it is called."""

        def run() -> float:
            self.context.note(text=f"trying rate {rate:g}")
            short = replace(plan, steps=steps, evaluate_every=steps)
            unheard = replace(self, context=replace(self.context, on_judged=silent))
            return unheard.train(items, short, rate, f"rate-{rate:g}")[1].best_score

        return run

    def train(self, items: Sequence[Encoded], plan: TrainingPlan, rate: float, name: str) -> tuple[Moved, Training]:
        """One run of the loop from a fresh base."""
        context, model = self.context, self.fresh()
        rows = self.validation()
        lent = Lent(
            device=context.device,
            pad=model.codec.pad,
            seed=context.seed,
            folder=context.folder / name,
            validate=lambda: self.judged(model, rows),
            note=context.note,
            stop=context.stop,
            cache=context.cache / BOUNDARIES,
            safety_seconds=SAFETY * context.budget_seconds,
        )
        return model, train(self.around(model), items, replace(self.moving.settings, rate=rate), plan, lent)


def trial_steps(plan: TrainingPlan, rates: Sequence[float]) -> int:
    """Steps of the short run of each rate; 0 where the budget leaves no room to choose."""
    steps = math.floor(plan.steps * TRIAL_SHARE)
    return steps if len(rates) > 1 and steps >= LEAST_TRIAL_STEPS else 0


def trimmed(plan: TrainingPlan, rates: Sequence[float], rate: float) -> TrainingPlan:
    """The plan less the steps that choosing the rate has used, so that the whole stays in the budget."""
    used = trial_steps(plan, rates) * len(rates)
    steps = plan.steps - used
    return replace(plan, steps=steps, evaluate_every=max(1, min(plan.evaluate_every, steps)))
