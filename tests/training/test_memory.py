"""Memory that runs short: smaller passes, then recomputed activations, the run goes on and says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from accordeur.errors import EnvironmentFault, Interrupted
from accordeur.example import Encoded
from accordeur.plan import DevicePlan
from accordeur.training import memory, step
from accordeur.training.batches import collate
from accordeur.training.loop import train
from accordeur.training.network import Network
from accordeur.training.state import Progress
from accordeur.training.trainable import blocks, lora, moved_tensors

from . import tiny

SHORT = "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"


def limited(monkeypatch: pytest.MonkeyPatch, tokens: int, fault: Exception) -> list[int]:
    """Passes above a number of padded tokens find no memory, half-way through the step; returns the passes that were made."""
    made: list[int] = []
    real = Network.loss

    def loss(self: Network, batch: Any, smoothing: float = 0.0) -> Any:
        if self.training and batch.tokens_BT.numel() > tokens:
            raise fault
        made.append(batch.tokens_BT.numel())
        return real(self, batch, smoothing)

    monkeypatch.setattr(Network, "loss", loss)
    return made


def even_rows(count: int) -> list[Encoded]:
    """Twenty tokens each, so that a step of four is one pass of eighty."""
    random = tiny.rng(0)
    ids = [tiny.tokens(random, 20) for _ in range(count)]
    return [Encoded(tokens=row, target=np.append(row[1:], 1).astype(np.int32), row=place) for place, row in enumerate(ids)]


def network() -> Network:
    made = Network(tiny.gpt2(), "causal")
    lora(made, rank=4, alpha=8)
    return made


FAULTS = [RuntimeError(SHORT), MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried 1 GiB")]
FAMILIES = [(tiny.gpt2, "causal"), (tiny.llama, "causal"), (tiny.bert, "label"), (tiny.t5, "seq2seq")]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_pass_that_finds_no_memory_is_halved_and_the_result_stays(
    fault: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items, plan = even_rows(12), tiny.plan(6, evaluate_every=6)
    whole = network()
    train(whole, items, tiny.settings(optimizer="sgd"), plan, tiny.lent(tmp_path / "whole"))
    made = limited(monkeypatch, 45, fault)
    told: list[dict[str, Any]] = []
    halved = network()
    lent = tiny.lent(tmp_path / "halved", note=lambda **values: told.append(values))
    done = train(halved, items, tiny.settings(optimizer="sgd"), plan, lent)
    assert done.steps == 6 and made and max(made) <= 45
    assert [note["warning"] for note in told if "warning" in note] == [
        "memory ran short: 128 tokens a pass from here on",
        "memory ran short: 64 tokens a pass from here on",
        "memory ran short: 32 tokens a pass from here on",
    ]
    for name, value in moved_tensors(whole).items():
        torch.testing.assert_close(moved_tensors(halved)[name], value, rtol=1e-4, atol=1e-6)


def test_another_fault_is_not_taken_for_short_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, 45, RuntimeError("shapes don't fit"))
    with pytest.raises(RuntimeError, match="shapes don't fit"):
        train(network(), even_rows(12), tiny.settings(), tiny.plan(6), tiny.lent(tmp_path))


def test_a_run_stopped_after_the_halving_ends_bit_identical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items, plan = even_rows(12), tiny.plan(6, evaluate_every=3)
    limited(monkeypatch, 45, MemoryError())
    whole, again = network(), network()
    train(whole, items, tiny.settings(), plan, tiny.lent(tmp_path / "whole"))
    steps: list[int] = []

    def note(**values: Any) -> None:
        steps.append(values["step"])

    with pytest.raises(Interrupted):
        train(again, items, tiny.settings(), plan, tiny.lent(tmp_path / "again", note=note, stop=lambda: steps[-1:] == [4]))
    monkeypatch.undo()  # memory is there again: the passes stay small all the same
    again = network()
    train(again, items, tiny.settings(), plan, tiny.lent(tmp_path / "again"))
    for name, value in moved_tensors(whole).items():
        assert torch.equal(moved_tensors(again)[name], value)


def test_single_rows_are_recomputed_and_then_it_is_said_that_memory_is_too_short() -> None:
    progress, made = Progress(), network()
    assert "recomputed" in memory.relieve(progress, made, [[0], [1]], tiny.CPU)
    assert progress.checkpointing and made.trunk.is_activation_checkpointing
    with pytest.raises(EnvironmentFault, match="too short for a single row"):
        memory.relieve(progress, made, [[0], [1]], tiny.CPU)
    with memory.recomputing(made, False):
        pass
    assert not made.trunk.is_activation_checkpointing


def test_before_the_first_step_passes_are_cut_to_the_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    items, made, device = tiny.causal_rows(12), network(), DevicePlan(micro_tokens=1024)
    each = memory.bytes_per_token(made, device)
    longest = max(len(item.tokens) for item in items)
    for tokens, expected in ((10**6, (0, False)), (600, (512, False)), (longest - 1, (64, True))):
        monkeypatch.setattr(memory, "free_bytes", lambda _, tokens=tokens: tokens * each * memory.SHARE)
        progress = Progress()
        told = memory.settle(progress, made, items, device)
        assert (progress.micro_tokens, progress.checkpointing) == expected
        assert ("recomputed" in told) is progress.checkpointing and bool(told) is bool(progress.micro_tokens)


@pytest.mark.parametrize(("make", "form"), FAMILIES)
def test_recomputed_activations_give_the_same_gradient(make: Any, form: Any) -> None:
    made = Network(make(), form, outputs=3, dropout=0.1)
    lora(made, rank=4, alpha=8, dropout=0.1)
    batch = collate(tiny.label_rows(6) if form == "label" else tiny.causal_rows(6), tiny.PAD)

    def gradient() -> torch.Tensor:
        made.zero_grad()
        torch.manual_seed(0)
        made.train().loss(batch)[0].backward()
        return torch.cat([p.grad.flatten() for p in made.parameters() if p.grad is not None])

    plain = gradient()
    runs: list[int] = []
    inner = next(module for module in blocks(made.trunk)[0][1].modules() if "attention" in type(module).__name__.lower())
    inner.register_forward_pre_hook(lambda *_: runs.append(1))
    with memory.recomputing(made, True):
        again = gradient()
    assert len(runs) == 2  # once more in the backward pass
    if form == "seq2seq":  # its blocks share their position biases, whose gradients are then summed in another order
        torch.testing.assert_close(again, plain, rtol=1e-5, atol=1e-5)
    else:
        assert torch.equal(again, plain)


def test_a_scaled_gradient_that_leaves_its_range_is_skipped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    half = DevicePlan(dtype="float16", threads=1, micro_tokens=256)
    progress = Progress()
    assert step.overflowed(progress, 1.0, float("inf"), progress.scale) and progress.skipped == 1
    assert progress.scale == 32768.0
    assert not step.overflowed(progress, 1.0, 1.0, progress.scale)
    assert not step.overflowed(progress, float("nan"), float("nan"), progress.scale)  # a loss that is no number is no overflow
    assert not step.overflowed(progress, 1.0, float("inf"), 1.0) and progress.skipped == 1
    progress.fitting = step.GROWTH - 1
    assert not step.overflowed(progress, 1.0, 1.0, progress.scale) and progress.scale == 65536.0
    done = train(network(), tiny.causal_rows(12), tiny.settings(), tiny.plan(8), tiny.lent(tmp_path, device=half))
    assert done.steps == 8 and done.skipped < 8
