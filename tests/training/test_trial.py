from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from accordeur.training import trial
from accordeur.training.network import Network
from accordeur.training.trainable import lora, moved_tensors
from accordeur.training.trial import plan_steps, typical_steps

from . import tiny


def network() -> Network:
    made = Network(tiny.gpt2(dropout=0.1), "causal")
    lora(made, rank=2, alpha=4, dropout=0.1)
    return made


def planned(monkeypatch: pytest.MonkeyPatch, *, step: float, row: float, budget: float, **settings: float) -> trial.TrainingPlan:
    monkeypatch.setattr(trial, "step_seconds", lambda *_, **__: step)
    monkeypatch.setattr(trial, "evaluation_seconds", lambda *_, **__: row)
    rows = tiny.causal_rows(40)
    chosen = tiny.settings(**settings)
    return plan_steps(network(), rows, chosen, tiny.CPU, pad=0, budget_seconds=budget, validation_rows=10, seed=0)


def test_the_trial_leaves_no_trace() -> None:
    tried, fresh = network(), network()
    states = random.getstate(), torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]
    plan = plan_steps(
        tried, tiny.causal_rows(30), tiny.settings(), tiny.CPU, pad=0, budget_seconds=5.0, validation_rows=8, seed=0
    )
    assert plan.steps >= 1 and plan.seconds_per_step > 0
    for name, tensor in moved_tensors(fresh).items():
        assert torch.equal(tensor, moved_tensors(tried)[name])
    assert all(p.grad is None for p in tried.parameters())
    assert not tried.training
    assert states[0] == random.getstate() and torch.equal(states[1], torch.get_rng_state())
    assert states[2] == np.random.get_state()[1].tolist()  # type: ignore[index]


def test_the_budget_pays_for_steps_and_validations(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(monkeypatch, step=1.0, row=0.1, budget=100.0)
    assert plan.steps == 82  # 90 seconds, eight validations of one second
    assert plan.evaluate_every == 11
    assert plan.batch_rows == 4


def test_epochs_bound_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    assert planned(monkeypatch, step=0.001, row=0.0, budget=1e6, epochs=2.5).steps == 25
    assert planned(monkeypatch, step=0.001, row=0.0, budget=1e6).steps == 200
    assert "all that are allowed" in planned(monkeypatch, step=0.001, row=0.0, budget=1e6).reason


def test_a_tiny_budget_still_makes_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(monkeypatch, step=100.0, row=100.0, budget=1.0)
    assert (plan.steps, plan.evaluate_every) == (1, 1)


def test_dear_validations_become_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(monkeypatch, step=1.0, row=1.0, budget=100.0)
    assert plan.steps == 70  # two validations of ten seconds
    assert plan.evaluate_every == 35


def test_the_trial_looks_at_small_and_large_steps() -> None:
    items = tiny.causal_rows(64)
    sizes = [sum(len(items[row].tokens) for part in parts for row in part) for parts in typical_steps(items, 4, 256, 0)]
    assert sizes[1] < sizes[2] < sizes[3]
