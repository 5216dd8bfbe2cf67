"""Optimizers and schedules from their formulas against torch, to 1e-7."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from accordeur.foundations import formulas
from accordeur.training import schedules

PAIRS: dict[str, tuple[Any, Any]] = {
    "sgd": (lambda: formulas.Sgd(rate=0.1), lambda w: torch.optim.SGD(w, lr=0.1)),
    "momentum": (lambda: formulas.Sgd(rate=0.1, momentum=0.9), lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9)),
    "sgd with L2": (lambda: formulas.Sgd(rate=0.1, decay=0.05), lambda w: torch.optim.SGD(w, lr=0.1, weight_decay=0.05)),
    "rmsprop": (lambda: formulas.RmsProp(rate=0.05), lambda w: torch.optim.RMSprop(w, lr=0.05)),
    "adam": (lambda: formulas.Adam(rate=0.05), lambda w: torch.optim.Adam(w, lr=0.05)),
    "adam with L2": (lambda: formulas.Adam(rate=0.05, decay=0.1), lambda w: torch.optim.Adam(w, lr=0.05, weight_decay=0.1)),
    "adamw": (lambda: formulas.AdamW(rate=0.05, decay=0.1), lambda w: torch.optim.AdamW(w, lr=0.05, weight_decay=0.1)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_every_optimizer_takes_the_steps_torch_takes(name: str) -> None:
    ours, theirs = PAIRS[name]
    optimizer, weights = ours(), np.array([1.0, -2.0, 0.5])
    parameter = torch.nn.Parameter(torch.tensor(weights))
    reference = theirs([parameter])
    rng = np.random.default_rng(0)
    for _ in range(30):
        noise = rng.normal(size=3)
        weights = optimizer.step(weights, 2 * weights + noise)
        parameter.grad = 2 * parameter.detach() + torch.tensor(noise)
        reference.step()
        assert weights == pytest.approx(parameter.detach().numpy(), abs=1e-7)


def test_decoupled_decay_differs_from_l2() -> None:
    weights, gradient = np.array([1.0]), np.array([0.1])
    assert formulas.AdamW(decay=0.1).step(weights, gradient) != formulas.Adam(decay=0.1).step(weights, gradient)


def test_the_first_transformers_schedule_rises_to_the_warm_up_and_falls_as_the_root() -> None:
    rates = [formulas.inverse_sqrt_rate(step, 512, 4000) for step in range(1, 20001)]
    assert int(np.argmax(rates)) + 1 == 4000
    assert rates[15999] == pytest.approx(rates[3999] / 2)
    ours = [schedules.factor("inverse_sqrt", step, warmup=4000, steps=20000) for step in (500, 4000, 16000)]
    assert ours == pytest.approx([rates[step - 1] / rates[3999] for step in (500, 4000, 16000)])


def test_cosine_equals_torchs_and_exponential_falls_by_the_same_share() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50, eta_min=0.01)
    for step in range(50):
        assert formulas.cosine_rate(step, 50, 0.3, 0.01) == pytest.approx(scheduler.get_last_lr()[0], abs=1e-7)
        optimizer.step()
        scheduler.step()
    assert formulas.exponential_rate(3, 0.3, 0.5) == pytest.approx(0.3 / 8)


@pytest.mark.parametrize("kind", ["linear", "cosine", "exponential"])
def test_schedules_of_the_loop_equal_torchs_behind_the_same_warm_up(kind: str) -> None:
    warmup, steps = 10, 60
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    schedulers = torch.optim.lr_scheduler
    after = {
        "linear": lambda: schedulers.LinearLR(optimizer, 1.0, 0.0, total_iters=steps - warmup),
        "cosine": lambda: schedulers.CosineAnnealingLR(optimizer, T_max=steps - warmup),
        "exponential": lambda: schedulers.ExponentialLR(optimizer, gamma=0.01 ** (1 / (steps - warmup))),
    }[kind]()
    rise = schedulers.LinearLR(optimizer, 1 / warmup, 1.0, total_iters=warmup - 1)
    scheduler = schedulers.SequentialLR(optimizer, [rise, after], milestones=[warmup])
    for step in range(1, steps + 1):
        ours = 0.3 * schedules.factor(kind, step, warmup=warmup, steps=steps)  # type: ignore[arg-type]
        assert ours == pytest.approx(scheduler.get_last_lr()[0], abs=1e-7), step
        optimizer.step()
        scheduler.step()


def test_smoothed_cross_entropy_equals_torchs() -> None:
    logits = np.random.default_rng(1).normal(size=9) * 4
    for smoothing in (0.0, 0.1, 0.5):
        expected = torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(3), label_smoothing=smoothing)
        assert formulas.cross_entropy(logits, 3, smoothing) == pytest.approx(expected.item(), abs=1e-7)


def test_dropout_keeps_the_mean_and_drops_its_share() -> None:
    dropped = formulas.dropout(np.ones(100_000), 0.3, np.random.default_rng(2))
    assert dropped.mean() == pytest.approx(1, abs=0.01)
    assert (dropped == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert set(np.unique(dropped).round(9)) == {0.0, round(1 / 0.7, 9)}


def test_softmax_stands_large_logits() -> None:
    assert formulas.softmax(np.array([1000.0, 1000.0])) == pytest.approx([0.5, 0.5])


def test_a_descent_ends_near_the_lowest_point() -> None:
    path = formulas.descend(formulas.Adam(rate=0.1), lambda w: 2 * w, np.array([3.0, -2.0]), 200)
    assert path.shape == (201, 2)
    assert abs(path[-1]).max() < 0.05
