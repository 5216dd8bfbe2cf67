"""Turns a budget of seconds into a number of steps, once, by a short trial that leaves no trace."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from accordeur.example import Encoded
from accordeur.plan import DevicePlan, TrainingPlan
from accordeur.training import adapters, batches, boundary, optimizers, randomness, step
from accordeur.training.compiled import GAIN, compiled, worth_trying
from accordeur.training.device import scoring_precision, threads
from accordeur.training.even import Even
from accordeur.training.narrow import narrowed
from accordeur.training.packing import packing
from accordeur.training.scoring import evaluating
from accordeur.training.settings import MAX_EPOCHS, TrainingSettings
from accordeur.training.trainable import moved_tensors

TRIAL_STEPS = 3  # timed, after one that warms up
EVALUATIONS = 8  # wanted over a run
RESERVE = 0.9  # of the budget: the trial's own mistake, saving, the last evaluation
EVALUATION_SHARE = 0.3  # of the budget at most


def plan_steps(  # noqa: PLR0913  (one call, its arguments named)
    network: Any,
    items: Sequence[Encoded],
    settings: TrainingSettings,
    device: DevicePlan,
    *,
    pad: int,
    budget_seconds: float,
    validation_rows: int,
    seed: int,
    answer_seconds: float | None = None,
    cache: Path | None = None,
) -> TrainingPlan:
    """As many steps as fit the budget, validations included, and never more than the epochs allow.

    `answer_seconds`: of one row in a validation that writes answers; by default a row costs a forward pass.
    `cache`: where activations of frozen blocks may be kept; computing them counts against the budget.
    """
    per_epoch = batches.steps_per_epoch(len(items), settings.batch_rows)
    longest = max(1, math.ceil(per_epoch * (settings.epochs or MAX_EPOCHS)))
    usable = budget_seconds * RESERVE
    with randomness.kept(), threads(device), restored(network), adapters.short_way(network, device):
        network.to(device.device)
        with packing(network, items, device) as packs:
            feed = step.Feed(items=items, device=device, pad=pad, smoothing=settings.smoothing, packs=packs)
            timing = fastest(network, feed, settings, seed, Room(seconds=usable, per_epoch=per_epoch, steps=longest, cache=cache))
        row = evaluation_seconds(network, items, device, pad=pad, seed=seed) if answer_seconds is None else answer_seconds
    seconds, usable = timing.seconds, usable - timing.spent
    evaluation = row * validation_rows
    evaluations = max(1, min(EVALUATIONS, int(EVALUATION_SHARE * usable / max(evaluation, 1e-9))))
    affordable = int((usable - evaluations * evaluation) / seconds)
    steps = max(1, min(longest, affordable))
    bound = f"{steps / per_epoch:.2g} epochs" + (" (all that are allowed)" if steps == longest else " in the budget")
    return TrainingPlan(
        steps=steps,
        batch_rows=settings.batch_rows,
        evaluate_every=max(1, math.ceil(steps / evaluations)),
        seconds_per_step=seconds,
        budget_seconds=budget_seconds,
        compiled=timing.compiled,
        reason=f"{steps} steps of {settings.batch_rows} rows: {bound}; {seconds:.3g} s a step, "
        f"{evaluations} validations of {evaluation:.3g} s{timing.told}",
    )


def measured_step(
    network: Any, items: Sequence[Encoded], settings: TrainingSettings, device: DevicePlan, *, pad: int, seed: int
) -> float:
    """Seconds of an average step on this machine; everything is afterwards as it was."""
    feed = step.Feed(items=items, device=device, pad=pad, smoothing=settings.smoothing)
    with randomness.kept(), threads(device), restored(network), adapters.short_way(network, device):
        network.to(device.device)
        return step_seconds(network, feed, settings, seed)


@dataclass(frozen=True, kw_only=True)
class Room:
    """What a run may take."""

    seconds: float
    per_epoch: int  # steps
    steps: int  # at most
    cache: Path | None  # for activations of frozen blocks


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of a step, what it took to get there, and by which means."""

    seconds: float
    spent: float = 0.0
    compiled: bool = False
    told: str = ""


def fastest(network: Any, feed: step.Feed, settings: TrainingSettings, seed: int, room: Room) -> Timing:
    """A step as it is; with activations read back where a second epoch would come; with compiled blocks where a run is long."""
    first = step_seconds(network, feed, settings, seed)
    if room.cache is not None and room.seconds > room.per_epoch * first:
        read = read_back(network, feed, settings, seed, room.cache)
        if read is not None:
            return read
    return tried(network, feed, settings, seed, first, room)


def read_back(network: Any, feed: step.Feed, settings: TrainingSettings, seed: int, cache: Path) -> Timing | None:
    """A step that reads what the frozen blocks give, and what it took to compute that; None where there is nothing to read."""
    wanted = boundary.Wanted(items=feed.items, device=feed.device, pad=feed.pad, folder=cache, worthwhile=True)
    begun = time.perf_counter()
    with boundary.prepared(network, wanted) as below:
        spent = time.perf_counter() - begun
        if below is None:
            return None
        return Timing(seconds=step_seconds(network, replace(feed, boundary=below, packs=False), settings, seed), spent=spent)


def tried(network: Any, feed: step.Feed, settings: TrainingSettings, seed: int, first: float, room: Room) -> Timing:
    """A step with compiled blocks where that is faster and the run long enough to earn the compiling."""
    if not worth_trying(network, feed.device, min(room.seconds, first * room.steps)):
        return Timing(seconds=first)
    begun = time.perf_counter()
    try:
        with compiled(network):
            step_seconds(network, feed, settings, seed)  # compiles
            second = step_seconds(network, feed, settings, seed)
    except Exception as fault:  # in whatever way a compiler fails, nothing has changed
        return Timing(seconds=first, spent=time.perf_counter() - begun, told=f"; not compiled: {type(fault).__name__}")
    spent, gain = time.perf_counter() - begun, first / second
    pays = gain >= GAIN
    told = f"; {'compiled' if pays else 'not compiled'}: {gain:.2f}x in a trial"
    return Timing(seconds=second if pays else first, spent=2 * spent if pays else spent, compiled=pays, told=told)


def step_seconds(network: Any, feed: step.Feed, settings: TrainingSettings, seed: int) -> float:
    """Seconds per step, the steps chosen so that their tokens are those of an average step."""
    items, device = feed.items, feed.device
    parts = typical_steps(items, settings.batch_rows, device.micro_tokens, seed, packs=feed.packs)
    optimizer = optimizers.build(network, settings, device.dtype)
    optimizers.set_rate(optimizer, 0.0)
    network.train()
    times, tokens = [], []
    with narrowed(network, device):
        for part in parts:
            begun = time.perf_counter()
            _, real = step.accumulate(network, feed, part)
            float(step.gradient_norm(network))
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            synchronize(device)
            times.append(time.perf_counter() - begun)
            tokens.append(real)
    mean_tokens = batches.mean_tokens(items) * min(settings.batch_rows, len(items))
    timed = slice(1, None) if len(times) > 1 else slice(None)
    return sum(times[timed]) / sum(tokens[timed]) * mean_tokens


def typical_steps(
    items: Sequence[Encoded], batch_rows: int, micro_tokens: int, seed: int, *, packs: bool = False
) -> list[list[list[int]]]:
    """A few steps of the first epoch: the median one to warm up, then those at even quantiles of size."""
    if isinstance(items, Even):
        return list(islice(batches.steps(items, batch_rows, micro_tokens, seed, 0, packs=packs), TRIAL_STEPS + 1))
    drawn = list(batches.steps(items, batch_rows, micro_tokens, seed, 0, packs=packs))
    sizes = [sum(len(items[row].tokens) for part in parts for row in part) for parts in drawn]
    order = np.argsort(sizes, kind="stable")
    quantiles = [0.5, *((place + 0.5) / TRIAL_STEPS for place in range(TRIAL_STEPS))]
    return [drawn[order[min(len(order) - 1, int(quantile * len(order)))]] for quantile in quantiles]


def evaluation_seconds(network: Any, items: Sequence[Encoded], device: DevicePlan, *, pad: int, seed: int) -> float:
    """Seconds per row of an evaluation, from a forward pass over a sample of the training rows."""
    rows = np.random.default_rng([seed, 0xE7A1]).permutation(len(items))[:16]
    sample = [items[row] for row in rows]
    begun = time.perf_counter()
    with evaluating(network), scoring_precision(device):
        for part in batches.by_length(sample, device.micro_tokens):
            float(network.loss(batches.collate([sample[row] for row in part], pad, device.device))[0])
    return (time.perf_counter() - begun) / len(sample)


@contextlib.contextmanager
def restored(network: Any) -> Iterator[None]:
    """Weights and mode are afterwards bit for bit what they were, and no gradient is left."""
    training = network.training
    before = {name: tensor.clone() for name, tensor in moved_tensors(network).items()}
    try:
        yield
    finally:
        own = dict(network.named_parameters())
        with torch.no_grad():
            for name, tensor in before.items():
                own[name].copy_(tensor)
        network.zero_grad(set_to_none=True)
        network.train(training)


def synchronize(device: DevicePlan) -> None:
    """Waits for an accelerator, so that times are true."""
    if device.device.startswith("cuda"):
        torch.cuda.synchronize(torch.device(device.device))
