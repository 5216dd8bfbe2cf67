"""The one training loop: exact, resumable bit for bit, and it ends with the best weights."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from accordeur.errors import Interrupted
from accordeur.example import Encoded
from accordeur.plan import DevicePlan, TrainingPlan
from accordeur.training import adapters, batches, boundary, memory, optimizers, randomness, schedules, state, step
from accordeur.training.compiled import compiled, plain
from accordeur.training.device import threads
from accordeur.training.narrow import Narrowed, narrowed
from accordeur.training.packing import packing
from accordeur.training.processes import ALONE, Processes
from accordeur.training.processor import keep_memory
from accordeur.training.settings import TrainingSettings
from accordeur.training.state import Progress, Session
from accordeur.training.trainable import load_moved, moved_tensors

SAVE_SHARE = 20  # a save that took one second is repeated after twenty at the earliest
CURVE_POINTS = 50


@dataclass(frozen=True, kw_only=True)
class Lent:
    """What the loop is lent: where to work, how to judge, whom to tell, when to stop."""

    device: DevicePlan
    pad: int
    seed: int
    folder: Path  # the state goes to folder/checkpoint
    validate: Callable[[], float]  # higher is better
    note: Callable[..., None]
    stop: Callable[[], bool]
    cache: Path | None = None  # where activations of frozen blocks are kept, over runs
    save_every_seconds: float = 60.0
    safety_seconds: float | None = None  # of this process: a last resort beside the plan
    processes: Processes = ALONE


@dataclass(frozen=True, kw_only=True)
class Training:
    """What happened. The network holds the weights of `best_step`."""

    steps: int
    tokens: int  # real ones: padding never counts
    curve: tuple[dict[str, Any], ...]  # step, loss, rate, score (None between evaluations), seconds
    best_step: int
    best_score: float
    stopped: str  # plan, early or safety
    skipped: int = 0  # steps whose fp16 gradient overflowed


@dataclass(kw_only=True)
class Clock:
    """Wall time, for notes, saves and the safety stop; never for what the weights become."""

    before: float = 0.0
    begun: float = field(default_factory=time.monotonic)
    saved: float = field(default_factory=time.monotonic)
    save_cost: float = 0.0

    def seconds(self) -> float:
        """Since the run began, over all processes."""
        return self.before + self.here()

    def here(self) -> float:
        """Since this process took over."""
        return time.monotonic() - self.begun


@dataclass(frozen=True, kw_only=True)
class Job:
    """One call of `train`, and the name its checkpoint carries."""

    feed: step.Feed
    settings: TrainingSettings
    plan: TrainingPlan
    lent: Lent
    name: str
    narrowed: Narrowed


def train(network: Any, items: Sequence[Encoded], settings: TrainingSettings, plan: TrainingPlan, lent: Lent) -> Training:
    """Trains what moves in the network for the planned steps, or until validation stops getting better.

    Resumes from a checkpoint of the same run. Raises Diverged (weights of the step before are kept) and Interrupted
    (state saved). Random states of the caller are as before afterwards.
    """
    check(network, items, plan)
    keep_memory()
    with randomness.kept(), threads(lent.device):
        randomness.seed_all(lent.seed)
        network.to(lent.device.device)
        name = state.identity(network, items, settings, plan, lent.seed)
        optimizer = optimizers.build(network, settings, lent.device.dtype)
        session = Session(network=network, optimizer=optimizer, progress=Progress())
        with lent.processes.in_turn():
            complaint = state.load(session, lent.folder, name)
        if complaint:
            lent.note(step=0, total=plan.steps, warning=complaint)
        network.noise, network.z_loss = settings.noise, settings.z_loss
        try:
            with equipped(session, items, settings, plan, lent) as (feed, copies):
                job = Job(feed=feed, settings=settings, plan=plan, lent=lent, name=name, narrowed=copies)
                run(session, job, Clock(before=session.progress.seconds))
        finally:
            network.noise = network.z_loss = 0.0
            network.zero_grad(set_to_none=True)
            network.eval()
        load_moved(network, session.best)
    return finished(session.progress)


@contextlib.contextmanager
def equipped(
    session: Session, items: Sequence[Encoded], settings: TrainingSettings, plan: TrainingPlan, lent: Lent
) -> Iterator[tuple[step.Feed, Narrowed]]:
    """The cheaper ways to the same result, for as long as steps are made."""
    network, device, progress = session.network, lent.device, session.progress
    if not progress.step:
        told = memory.settle(progress, network, items, device)
        if told:
            lent.note(step=0, total=plan.steps, warning=told)
    again = progress.read_back if progress.step else plan.steps * plan.batch_rows > len(items)
    folder = lent.cache if again or not progress.step else None  # a resumed run reads back what it read before, or nothing
    wanted = boundary.Wanted(items=items, device=device, pad=lent.pad, folder=folder, worthwhile=again)
    with (
        memory.recomputing(network, device.checkpointing or progress.checkpointing),
        adapters.short_way(network, device),
        compiled(network, plan.compiled),
        boundary.prepared(network, wanted) as below,
        packing(network, items, device) as packs,
        narrowed(network, device) as copies,
    ):
        progress.read_back = below is not None
        packs = packs and not progress.read_back
        feed = step.Feed(
            items=items,
            device=device,
            pad=lent.pad,
            smoothing=settings.smoothing,
            packs=packs,
            boundary=below,
            processes=lent.processes,
        )
        yield feed, copies


def run(session: Session, job: Job, clock: Clock) -> None:
    """The steps that are left; a step that finds no memory is made again in smaller passes."""
    while not session.progress.stopped:  # a run that was stopped after its last step, in what follows, is over
        for parts in upcoming(job, session.progress):
            rate = attempt(session, job, parts)
            if rate is None:
                break
            follow(session, job, clock, rate)
            if session.progress.stopped:
                return


def attempt(session: Session, job: Job, parts: list[list[int]]) -> float | None:
    """One step; None where it found no memory: then it is cut anew."""
    try:
        return advance(session, job, parts)
    except (RuntimeError, MemoryError) as fault:
        if job.lent.processes.count > 1 or not memory.is_short(fault):  # the others wait for this one's gradient
            raise
    session.network.zero_grad(set_to_none=True)
    told = memory.relieve(session.progress, session.network, parts, job.lent.device)
    job.lent.note(step=session.progress.step, total=job.plan.steps, warning=told)
    return None


def follow(session: Session, job: Job, clock: Clock, rate: float) -> None:
    """After a step: evaluate, tell, save or stop where it is due."""
    progress, plan, lent = session.progress, job.plan, job.lent
    safety = lent.safety_seconds is not None and clock.here() > lent.safety_seconds
    last = progress.step >= plan.steps or safety
    score = evaluate(session, job) if last or progress.step % plan.evaluate_every == 0 else None
    tell(session, job, rate=rate, score=score, seconds=clock.seconds())
    progress.stopped = why_stop(progress, job, safety)
    asked = bool(lent.processes.agreed(lent.stop()))
    if progress.stopped:
        if asked:
            save(session, job, clock)
        return
    if asked:
        save(session, job, clock)
        raise Interrupted(f"stopped after step {progress.step} of {plan.steps}", hint="repeat the command to go on")
    if save_due(lent, clock):
        save(session, job, clock)


def why_stop(progress: Progress, job: Job, safety: bool) -> str:
    """plan, early or safety; "" to go on."""
    if progress.step >= job.plan.steps:
        return "plan"
    if job.settings.patience is not None and progress.worse >= job.settings.patience:
        return "early"
    return "safety" if safety else ""


def upcoming(job: Job, progress: Progress) -> Iterator[list[list[int]]]:
    """The micro-batches of every step that is left: a pure function of data, plan, seed and position."""
    items, rows, seed = job.feed.items, job.plan.batch_rows, job.lent.seed
    tokens = job.lent.processes.count * (progress.micro_tokens or job.lent.device.micro_tokens)
    epoch, done = divmod(progress.step, batches.steps_per_epoch(len(items), rows))
    coming = itertools.chain.from_iterable(
        batches.steps(items, rows, tokens, seed, number, packs=job.feed.packs) for number in itertools.count(epoch)
    )
    yield from itertools.islice(coming, done, done + job.plan.steps - progress.step)


def advance(session: Session, job: Job, parts: list[list[int]]) -> float:
    """One optimizer step; returns its learning rate. Raises Diverged before anything has moved."""
    progress, network, settings = session.progress, session.network, job.settings
    number = progress.step + 1
    warmup = schedules.warmup_steps(settings.warmup, job.plan.steps)
    factor = schedules.factor(settings.schedule, number, warmup=warmup, steps=job.plan.steps, floor=settings.floor)
    rate = optimizers.set_rate(session.optimizer, factor, number / job.plan.steps)
    network.train()
    job.lent.processes.scatter(job.lent.seed, number)
    scale = progress.scale if job.lent.device.dtype == "float16" else 1.0
    loss, tokens = step.accumulate(network, job.feed, parts, scale)
    norm = step.gradient_norm(network, scale)
    if not step.overflowed(progress, loss, float(norm), scale):
        step.check_finite(loss, float(norm), step=number, rate=rate, rows=[row for part in parts for row in part])
        step.clip(network, norm, settings.clip)
        session.optimizer.step()
        progress.loss += loss
        progress.loss_steps += 1
    session.optimizer.zero_grad(set_to_none=True)
    progress.step = number
    progress.tokens += tokens
    return rate


def evaluate(session: Session, job: Job) -> float:
    """Asks for the score, and keeps the weights where it is the best so far: the earliest of equals, the latest of zeros.

    A score of 0 says that nothing is right yet: later weights have learned more, and it is no time to stop.
    """
    progress = session.progress
    session.network.eval()
    with torch.no_grad(), job.narrowed.wide(), plain(session.network):
        processes = job.lent.processes
        score = processes.agreed(float(job.lent.validate()) if processes.first else 0.0)
    if score != score:  # a score that isn't a number is the worst there is
        score = -1e308
    if progress.best_score is None or score > progress.best_score or score == progress.best_score == 0.0:
        progress.best_step, progress.best_score, progress.worse = progress.step, score, 0
        session.best = copied(moved_tensors(session.network))
    else:
        progress.worse += 1
    return score


def copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same values in memory of their own."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def tell(session: Session, job: Job, *, rate: float, score: float | None, seconds: float) -> None:
    """Adds a point to the curve, at evaluations and some fifty times on the way, and notes the step."""
    progress, steps = session.progress, job.plan.steps
    mean = progress.loss / max(1, progress.loss_steps)
    if score is not None or progress.step % max(1, steps // CURVE_POINTS) == 0:
        point = {"step": progress.step, "loss": mean, "rate": rate, "score": score, "seconds": round(seconds, 3)}
        progress.curve.append(point)
        progress.loss, progress.loss_steps = 0.0, 0
    left = (steps - progress.step) * seconds / max(1, progress.step)
    job.lent.note(step=progress.step, total=steps, loss=mean, rate=rate, score=score, seconds_left=left)


def save_due(lent: Lent, clock: Clock) -> bool:
    """Whether the last save is long enough ago, both in seconds and for what a save costs."""
    wait = max(lent.save_every_seconds, SAVE_SHARE * clock.save_cost if lent.save_every_seconds else 0.0)
    return time.monotonic() - clock.saved >= wait


def save(session: Session, job: Job, clock: Clock) -> None:
    """Writes the state and measures what that costs; the first of several processes does it for all."""
    if not job.lent.processes.first:
        return
    begun = time.monotonic()
    session.progress.seconds = clock.seconds()
    state.save(session, job.lent.folder, job.name)
    clock.saved = time.monotonic()
    clock.save_cost = clock.saved - begun


def check(network: Any, items: Sequence[Encoded], plan: TrainingPlan) -> None:
    """Raises ValueError where there is nothing to train, on or for."""
    if not items:
        raise ValueError("no row to train on")
    if plan.steps < 1 or plan.batch_rows < 1 or plan.evaluate_every < 1:
        raise ValueError(f"steps, batch_rows and evaluate_every must be at least 1, found {plan}")
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ValueError("nothing in the network may move")


def finished(progress: Progress) -> Training:
    """The record of a run that came to its end."""
    assert progress.best_score is not None
    return Training(
        steps=progress.step,
        tokens=progress.tokens,
        curve=tuple(progress.curve),
        best_step=progress.best_step,
        best_score=progress.best_score,
        stopped=progress.stopped,
        skipped=progress.skipped,
    )
