"""Turns a budget of seconds into a number of steps, once, by a short trial that leaves no trace."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from accordeur.example import Encoded
from accordeur.plan import DevicePlan, TrainingPlan
from accordeur.training import adapters, batches, boundary, optimizers, randomness, step
from accordeur.training.device import scoring_precision, threads
from accordeur.training.even import Even
from accordeur.training.narrow import narrowed
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
    feed = step.Feed(items=items, device=device, pad=pad, smoothing=settings.smoothing)
    usable = budget_seconds * RESERVE
    with randomness.kept(), threads(device), restored(network), adapters.short_way(network, device):
        network.to(device.device)
        seconds = step_seconds(network, feed, settings, seed)
        row = evaluation_seconds(network, items, device, pad=pad, seed=seed) if answer_seconds is None else answer_seconds
        if cache is not None and usable > per_epoch * seconds:  # a second epoch would come
            spent, seconds = again_seconds(network, feed, settings, seed, cache, before=seconds)
            usable -= spent
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
        reason=f"{steps} steps of {settings.batch_rows} rows: {bound}; {seconds:.3g} s a step, "
        f"{evaluations} validations of {evaluation:.3g} s",
    )


def measured_step(
    network: Any, items: Sequence[Encoded], settings: TrainingSettings, device: DevicePlan, *, pad: int, seed: int
) -> float:
    """Seconds of an average step on this machine; everything is afterwards as it was."""
    feed = step.Feed(items=items, device=device, pad=pad, smoothing=settings.smoothing)
    with randomness.kept(), threads(device), restored(network), adapters.short_way(network, device):
        network.to(device.device)
        return step_seconds(network, feed, settings, seed)


def again_seconds(
    network: Any, feed: step.Feed, settings: TrainingSettings, seed: int, cache: Path, *, before: float
) -> tuple[float, float]:
    """Seconds that activations of frozen blocks took to compute, and of a step that reads them; `before` where there are none."""
    wanted = boundary.Wanted(items=feed.items, device=feed.device, pad=feed.pad, folder=cache, worthwhile=True)
    begun = time.perf_counter()
    with boundary.prepared(network, wanted) as below:
        spent = time.perf_counter() - begun
        if below is None:
            return spent, before
        return spent, step_seconds(network, replace(feed, boundary=below), settings, seed)


def step_seconds(network: Any, feed: step.Feed, settings: TrainingSettings, seed: int) -> float:
    """Seconds per step, the steps chosen so that their tokens are those of an average step."""
    items, device = feed.items, feed.device
    parts = typical_steps(items, settings.batch_rows, device.micro_tokens, seed)
    optimizer = optimizers.build(network, settings)
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


def typical_steps(items: Sequence[Encoded], batch_rows: int, micro_tokens: int, seed: int) -> list[list[list[int]]]:
    """A few steps of the first epoch: the median one to warm up, then those at even quantiles of size."""
    if isinstance(items, Even):
        return list(islice(batches.steps(items, batch_rows, micro_tokens, seed, 0), TRIAL_STEPS + 1))
    drawn = list(batches.steps(items, batch_rows, micro_tokens, seed, 0))
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
