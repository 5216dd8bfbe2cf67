"""A sweep: many candidates of one method in one process, chosen on the validation rows alone.

The base is read once, the rows are encoded once, and every candidate sees the same batches. A candidate that is judged on
its way is stopped as any training is, and goes on bit for bit: the winner is the model it would have been on its own. Only
the winner ever answers a test row, so nothing is picked by a test score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.compare import halving
from accordeur.compare.grid import Candidate
from accordeur.compare.halving import Rung, Standing
from accordeur.compare.heard import Ear, Seen
from accordeur.context import PLAN_FILE, Context
from accordeur.errors import Diverged, Interrupted
from accordeur.method import settings_of
from accordeur.models.fit import VALIDATION_ROWS
from accordeur.models.judge import sample, validation_answers, validation_score
from accordeur.models.kept import kept
from accordeur.report.scores import judged
from accordeur.store import read_json, write_json
from accordeur.task import Task
from accordeur.tasks import kind_of

DECISION = "sweep"  # under which the outcome stands in the record of a run
TRAINING = "training"  # under which a method stores its number of steps
PACED_BY = ("batch_rows", "epochs")  # candidates that agree in these take the same steps
WINNER = "winner"


def fit_best(
    candidates: Sequence[Candidate], task: Task, base: Base, context: Context, *, name: str, halved: bool
) -> AdaptedModel:
    """Settles on one candidate and fits it to its end.

    The choice is made with seed 0, once: other seeds fit the same winner for as many steps. `name` names the request, so
    that they find the choice in the cache. Raises NotApplicable where no candidate applies, Interrupted.
    """
    held = kept(base, context.device)
    sweep = Sweep(candidates=candidates, task=task, base=held, context=replace(context, seed=0), halved=halved)
    found = context.planned(DECISION, lambda: remembered(sweep, name))
    winner = sweep.named(found["winner"])
    if context.seed:
        part = replace(sweep.part(winner), seed=context.seed, folder=context.folder / WINNER)
        hand_on(found["training"], part)
        return winner.work.fit(task, held, part)
    return sweep.models.get(winner.name) or winner.work.fit(task, held, sweep.part(winner))


def remembered(sweep: Sweep, name: str) -> dict[str, Any]:
    """The outcome, found in the cache that all runs share, or made and put there."""
    place = sweep.context.cache / "sweeps" / f"{name}.json"
    if not place.is_file():
        write_json(place, sweep.outcome())
    found: dict[str, Any] = read_json(place)
    return found


def hand_on(training: dict[str, Any] | None, part: Context) -> None:
    """Gives a run the number of steps that another one has measured."""
    if training and not part.decisions():
        write_json(part.folder / PLAN_FILE, {TRAINING: training})


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A sweep at work. `models` holds the best one of those that have ended, so that it need not be fitted again."""

    candidates: Sequence[Candidate]
    task: Task
    base: Base
    context: Context
    halved: bool
    models: dict[str, AdaptedModel] = field(default_factory=dict)

    def outcome(self) -> dict[str, Any]:
        """Trains, judges and drops until one is left; JSON-ready. Goes on where an earlier process was stopped."""
        alive, judgements = list(self.candidates), []
        for number, rung in enumerate(self.rungs(), start=1):
            standings = self.context.part(DECISION).planned(f"rung {number}", lambda r=rung, a=alive: self.settle(a, r))  # type: ignore[misc]
            judgements.append({"share": rung.share, "standings": standings})
            going = {one["candidate"] for one in standings if one["kept"]}
            alive = [candidate for candidate in alive if candidate.name in going]
        winner = alive[0]
        return {
            "winner": winner.name,
            "settings": settings_of(winner.work),
            "candidates": [candidate.name for candidate in self.candidates],
            "rungs": judgements,
            "faults": {one.name: fault for one in self.candidates if (fault := self.seen(one).fault)},
            "effort": self.effort(),
            "metric": self.seen(winner).metric,
            "training": self.part(winner).decisions().get(TRAINING),
        }

    def settle(self, alive: Sequence[Candidate], rung: Rung) -> list[dict[str, Any]]:
        """Trains everyone up to a rung and judges them there, once: those that go on will soon be better than they were."""
        self.train(alive, rung)
        return [asdict(one) for one in self.judge(alive, rung)]

    def rungs(self) -> tuple[Rung, ...]:
        """When candidates are judged."""
        return halving.rungs(len(self.candidates), self.halved)

    def effort(self) -> float:
        """What the whole costs, in full trainings."""
        return halving.effort(len(self.candidates), self.rungs())

    def train(self, alive: Sequence[Candidate], rung: Rung) -> None:
        """Everyone up to the rung. The last candidate, in most grids the largest, measures the steps for all like it."""
        first = alive[-1]
        for candidate in [first, *alive[:-1]]:
            self.context.check_stop()
            if like(candidate, first):
                hand_on(self.part(first).decisions().get(TRAINING), self.part(candidate))
            self.advance(candidate, rung)

    def advance(self, candidate: Candidate, rung: Rung) -> None:
        """Fits a candidate until it is due to be judged, or to its end."""
        part = self.part(candidate)
        ear = Ear.beside(part.folder, self.task)

        def due() -> bool:
            return ear.due(rung, part.decisions().get(TRAINING))

        def note(**told: Any) -> None:
            ear.note(**told)
            part.note(**told)

        if due():
            return
        try:
            lent = replace(part, on_note=note, on_judged=ear.hear, stop=lambda: self.context.stop() or due())
            model = candidate.work.fit(self.task, self.base, lent)
        except Interrupted:
            self.context.check_stop()
        except Diverged as fault:  # the others go on
            ear.end(fault.message)
        else:
            self.end(candidate, model, ear)

    def end(self, candidate: Candidate, model: AdaptedModel, ear: Ear) -> None:
        """Takes a model that has come to its end, and lets go of a worse one."""
        if not ear.seen.statistics:  # a method that looks at no validation rows on its way
            rows = sample(self.task.validation, VALIDATION_ROWS, self.context.seed)
            ear.hear(validation_answers(model, rows, self.task))
            ear.note(score=validation_score(model, rows, self.task))
        ear.end()
        best = max((self.seen(self.named(name)).score or 0.0 for name in self.models), default=-np.inf)
        if ear.seen.score is not None and ear.seen.score > best:
            self.models.clear()
            self.models[candidate.name] = model

    def judge(self, alive: Sequence[Candidate], rung: Rung) -> list[Standing]:
        """Where everyone stands; those that broke are out."""
        seen = {candidate.name: self.seen(candidate) for candidate in alive}
        whole = {name: one for name, one in seen.items() if one.statistics and not one.fault}
        if not whole:
            fault = next(iter(seen.values())).fault
            raise Diverged(f"every candidate of the sweep broke, the first one: {fault}", hint="try lower rates")
        metric = kind_of(self.task.kind).metric(next(iter(whole.values())).metric)
        return halving.judge({name: np.asarray(one.statistics) for name, one in whole.items()}, judged(metric), rung.keep)

    def named(self, name: str) -> Candidate:
        """A candidate by its name."""
        return next(candidate for candidate in self.candidates if candidate.name == name)

    def part(self, candidate: Candidate) -> Context:
        """What a candidate is lent: a folder of its own and its share of the budget; what it says is told under its name."""
        folder = f"{DECISION}/{list(self.candidates).index(candidate):03d}"

        def note(**told: Any) -> None:
            text = {"text": f"{candidate.name}: {told['text']}"} if "text" in told else {}
            self.context.note(**told | text)

        budget = self.context.budget_seconds / self.effort()
        return replace(self.context.part(folder), budget_seconds=budget, on_note=note)

    def seen(self, candidate: Candidate) -> Seen:
        """What is known of a candidate."""
        return Ear.beside(self.part(candidate).folder, self.task).seen


def like(one: Candidate, other: Candidate) -> bool:
    """Whether two candidates take the same number of steps in an epoch."""
    return all(one.values.get(name) == other.values.get(name) for name in PACED_BY)
