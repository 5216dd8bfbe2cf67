"""Compiled blocks: tried only where a run is long, kept only where they are faster, and a failing compiler does no harm."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from accordeur.training import trial
from accordeur.training.batches import collate
from accordeur.training.compiled import COST, compiled, plain, worth_trying
from accordeur.training.loop import train
from accordeur.training.network import Network
from accordeur.training.trainable import blocks, lora, moved_tensors

from . import tiny


def network() -> Network:
    made = Network(tiny.gpt2(), "causal")
    lora(made, rank=4, alpha=8)
    return made


def planned(made: Network, budget: float) -> Any:
    rows = tiny.causal_rows(16)
    chosen = tiny.settings(epochs=None)
    return trial.plan_steps(made, rows, chosen, tiny.CPU, pad=0, budget_seconds=budget, validation_rows=4, seed=0)


def test_short_runs_and_machines_without_a_compiler_try_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = network()
    assert not worth_trying(made, tiny.CPU, COST)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert worth_trying(made, tiny.CPU, 100 * COST)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert not worth_trying(made, tiny.CPU, 100 * COST)


@pytest.mark.parametrize(("second", "kept"), [(0.5, True), (0.99, False)])
def test_what_the_trial_shows_is_planned(second: float, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made = network()
    monkeypatch.setattr(trial, "worth_trying", lambda *_: True)

    def seconds(*_: Any) -> float:
        return second if blocks(made.trunk)[0][1]._compiled_call_impl is not None else 1.0

    monkeypatch.setattr(trial, "step_seconds", seconds)
    plan = planned(made, 60.0)
    assert plan.compiled is kept and plan.seconds_per_step == (second if kept else 1.0)
    assert f"{'compiled' if kept else 'not compiled'}: {1 / second:.2f}x" in plan.reason
    assert blocks(made.trunk)[0][1]._compiled_call_impl is None


def test_a_compiler_that_fails_leaves_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    made = network()
    monkeypatch.setattr(trial, "worth_trying", lambda *_: True)

    def seconds(*_: Any) -> float:
        if blocks(made.trunk)[0][1]._compiled_call_impl is not None:
            raise OSError("no compiler")
        return 1.0

    monkeypatch.setattr(trial, "step_seconds", seconds)
    plan = planned(made, 60.0)
    assert not plan.compiled and "not compiled: OSError" in plan.reason


def test_evaluations_run_the_blocks_as_they_are() -> None:
    made = network()
    with compiled(made):
        assert all(block._compiled_call_impl is not None for _, block in blocks(made.trunk))
        with plain(made):
            assert all(block._compiled_call_impl is None for _, block in blocks(made.trunk))
        assert all(block._compiled_call_impl is not None for _, block in blocks(made.trunk))
    with compiled(made, False):
        assert all(block._compiled_call_impl is None for _, block in blocks(made.trunk))


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
def test_compiled_blocks_have_the_same_gradient() -> None:
    made = network()
    batch = collate(tiny.causal_rows(5), tiny.PAD)

    def gradient() -> torch.Tensor:
        made.zero_grad()
        made.train().loss(batch)[0].backward()
        return torch.cat([p.grad.flatten() for p in made.parameters() if p.grad is not None])

    expected = gradient()
    with compiled(made):
        torch.testing.assert_close(gradient(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
def test_a_compiled_training_ends_as_the_plain_one(tmp_path: Path) -> None:
    from dataclasses import replace

    moved = []
    for name in ("plain", "compiled"):
        made = network()
        plan = replace(tiny.plan(4), compiled=name == "compiled")
        train(made, tiny.causal_rows(8), tiny.settings(optimizer="sgd"), plan, tiny.lent(tmp_path / name))
        moved.append(moved_tensors(made))
    for name, value in moved[0].items():
        torch.testing.assert_close(moved[1][name], value, rtol=1e-4, atol=1e-5)
