from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from accordeur.errors import Diverged, Interrupted
from accordeur.example import IGNORED, Encoded
from accordeur.plan import DevicePlan
from accordeur.training import batches, scoring, step
from accordeur.training.batches import collate
from accordeur.training.loop import Training, train
from accordeur.training.network import Network
from accordeur.training.optimizers import BUILDERS
from accordeur.training.settings import TrainingSettings
from accordeur.training.state import CHECKPOINT
from accordeur.training.trainable import lora, moved_tensors

from . import tiny


class CrashError(Exception):
    """Stands for a killed process."""


def causal_network(how: str = "full", dropout: float = 0.0, seed: int = 0) -> Network:
    network = Network(tiny.gpt2(seed, dropout=dropout), "causal")
    if how == "lora":
        lora(network, rank=4, alpha=8, dropout=dropout, trunk_dropout="keep")
    return network


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def label_network(seed: int = 0) -> Network:
    return Network(tiny.bert(seed, dropout=0.1), "label", outputs=2, seed=seed)


def plain_losses(network: Network, items: list[Encoded], settings: TrainingSettings, steps: int, seed: int) -> list[float]:
    """What anyone would write with the library: whole logits, attention mask, AdamW, linear schedule."""
    model = network.trunk.train()
    moving = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for _, p in moving if p.ndim >= 2], "weight_decay": settings.weight_decay},
            {"params": [p for _, p in moving if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=settings.rate,
    )
    warmup = math.ceil(settings.warmup * steps)
    losses: list[float] = []
    for number, parts in enumerate(batches.steps(items, settings.batch_rows, 10**6, seed, 0), start=1):
        (rows,) = parts
        batch = collate([items[row] for row in rows], tiny.PAD)
        logits = model(input_ids=batch.tokens_BT, attention_mask=batch.mask_BT).logits
        loss = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED)  # type: ignore[union-attr]
        factor = number / warmup if number <= warmup else (steps - number + 1) / (steps - warmup)
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * factor
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for _, p in moving], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
        if number == steps:
            break
    return losses


@pytest.mark.parametrize("how", ["full", "lora"])
def test_losses_equal_a_plain_loop_step_by_step(how: str, tmp_path: Path) -> None:
    items, settings = tiny.causal_rows(60), tiny.settings(warmup=0.2)
    expected = plain_losses(causal_network(how), items, settings, steps=12, seed=7)
    found: list[float] = []
    lent = tiny.lent(tmp_path, validate=lambda: len(found), note=lambda **told: found.append(told["loss"]))
    train(causal_network(how), items, settings, tiny.plan(12, evaluate_every=1), lent)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("dtype", "error"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("form", ["causal", "label"])
def test_accumulation_equals_the_big_batch(form: str, dtype: torch.dtype, error: float) -> None:
    def gradient(micro_tokens: int) -> tuple[float, dict[str, torch.Tensor]]:
        network = causal_network() if form == "causal" else Network(tiny.bert(), "label", outputs=3, dropout=0.0)
        network.to(dtype)
        items = tiny.causal_rows(16) if form == "causal" else tiny.label_rows(16)
        (parts,) = batches.steps(items, 16, micro_tokens, seed=0, epoch=0)
        assert (len(parts) > 4) == (micro_tokens < 100)
        loss, _ = step.accumulate(network, step.Feed(items=items, device=DevicePlan(), pad=tiny.PAD), parts)
        return loss, {name: p.grad for name, p in network.named_parameters() if p.grad is not None}

    big_loss, big = gradient(10**6)
    small_loss, small = gradient(64)
    assert small_loss == pytest.approx(big_loss, rel=error)
    ours, theirs = (torch.cat([found[name].flatten() for name in big]) for found in (small, big))
    assert float((ours - theirs).norm() / theirs.norm()) <= error


def run_through(folder: Path, settings: TrainingSettings, how: str, **lent: Any) -> tuple[Network, Training]:
    network = causal_network(how, dropout=0.1)
    items = tiny.causal_rows(30)

    def validate() -> float:
        random.random(), np.random.rand(), torch.rand(1)  # what a metric may do to the global random states
        values = scoring.log_probs(network, items[:6], tiny.CPU, tiny.PAD)
        return float(sum(value.sum() for value in values))

    result = train(network, items, settings, tiny.plan(15), tiny.lent(folder, validate=validate, **lent))
    return network, result


@pytest.mark.parametrize("how", ["full", "lora"])
@pytest.mark.parametrize("optimizer", [name for name in BUILDERS if name != "adamw8bit"])
@pytest.mark.parametrize("cut", [1, 6, 9])
def test_interrupted_and_resumed_is_bit_identical(tmp_path: Path, optimizer: str, how: str, cut: int) -> None:
    settings = tiny.settings(optimizer=optimizer, rate=3e-3, noise=1.0)
    whole, expected = run_through(tmp_path / "whole", settings, how)
    count = iter(range(1, 100))
    with pytest.raises(Interrupted, match=f"after step {cut} of 15"):
        run_through(tmp_path / "cut", settings, how, stop=lambda: next(count) == cut)
    resumed, found = run_through(tmp_path / "cut", settings, how)
    assert same(moved_tensors(resumed), moved_tensors(whole))
    assert [{**point, "seconds": 0} for point in found.curve] == [{**point, "seconds": 0} for point in expected.curve]
    assert (found.best_step, found.best_score, found.tokens) == (expected.best_step, expected.best_score, expected.tokens)


def test_killed_after_a_save_and_resumed_is_bit_identical(tmp_path: Path) -> None:
    settings = tiny.settings()
    whole, _ = run_through(tmp_path / "whole", settings, "lora")

    def crash(**told: Any) -> None:
        if told["step"] == 7:
            raise CrashError

    with pytest.raises(CrashError):
        run_through(tmp_path / "cut", settings, "lora", note=crash, save_every_seconds=0.0)
    assert json.loads((tmp_path / "cut" / CHECKPOINT / "manifest.json").read_text())["step"] == 6
    resumed, _ = run_through(tmp_path / "cut", settings, "lora")
    assert same(moved_tensors(resumed), moved_tensors(whole))


def test_a_damaged_checkpoint_is_not_used_and_said_so(tmp_path: Path) -> None:
    settings = tiny.settings()
    whole, _ = run_through(tmp_path / "whole", settings, "lora")
    with pytest.raises(Interrupted):
        run_through(tmp_path / "cut", settings, "lora", stop=lambda: True)
    tensors = tmp_path / "cut" / CHECKPOINT / "state.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-9])
    told: list[str] = []
    again, _ = run_through(tmp_path / "cut", settings, "lora", note=lambda **values: told.append(values.get("warning", "")))
    assert "damaged" in told[0]
    assert same(moved_tensors(again), moved_tensors(whole))


def test_a_checkpoint_of_another_run_is_not_resumed(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run_through(tmp_path, tiny.settings(), "lora", stop=lambda: True)
    told: list[str] = []
    run_through(tmp_path, tiny.settings(rate=2e-3), "lora", note=lambda **values: told.append(values.get("warning", "")))
    assert "another run" in told[0]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_before_the_step(tmp_path: Path, bad: float) -> None:
    network, items = causal_network(), tiny.causal_rows(40)
    kept: dict[int, dict[str, torch.Tensor]] = {}
    losses = iter(range(1, 100))

    class Poisoned(Network):
        """Gives a bad loss at the sixth step."""

        def loss(self, batch: Any, smoothing: float = 0.0) -> tuple[torch.Tensor, int]:
            loss, units = Network.loss(self, batch, smoothing)
            return (loss * bad if next(losses) == 6 else loss), units

    network.__class__ = Poisoned

    def note(**told: Any) -> None:
        kept[told["step"]] = {name: tensor.clone() for name, tensor in moved_tensors(network).items()}

    device = DevicePlan(threads=1, micro_tokens=10**6)
    with pytest.raises(Diverged, match=r"step 6 has loss (nan|inf).*gradient norm.*at rate .* on rows \d+, .*after step 5"):
        train(network, items, tiny.settings(), tiny.plan(10, evaluate_every=10), tiny.lent(tmp_path, note=note, device=device))
    assert max(kept) == 5
    assert same(moved_tensors(network), kept[5])


def test_a_gradient_that_is_not_finite_stops_before_the_step(tmp_path: Path) -> None:
    network = causal_network()
    before = {name: tensor.clone() for name, tensor in moved_tensors(network).items()}
    network.trunk.transformer.ln_f.weight.register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(Diverged, match=r"gradient norm (nan|inf)"):
        train(network, tiny.causal_rows(10), tiny.settings(), tiny.plan(3), tiny.lent(tmp_path))
    assert same(moved_tensors(network), before)


def test_the_network_ends_with_its_best_weights(tmp_path: Path) -> None:
    network, items = causal_network(), tiny.causal_rows(40)
    scores, kept = iter([0.1, 0.9, 0.2, 0.9, 0.3]), []

    def validate() -> float:
        kept.append({name: tensor.clone() for name, tensor in moved_tensors(network).items()})
        return next(scores)

    result = train(network, items, tiny.settings(), tiny.plan(10, evaluate_every=2), tiny.lent(tmp_path, validate=validate))
    assert (result.best_step, result.best_score, result.steps, result.stopped) == (4, 0.9, 10, "plan")
    assert same(moved_tensors(network), kept[1])
    assert not same(moved_tensors(network), kept[3])


def test_patience_and_the_safety_stop_end_a_run_early(tmp_path: Path) -> None:
    falling = iter([5.0, 4.0, 3.0, 2.0, 1.0])
    lent = tiny.lent(tmp_path, validate=lambda: next(falling))
    early = train(causal_network(), tiny.causal_rows(40), tiny.settings(patience=2), tiny.plan(20, evaluate_every=2), lent)
    assert (early.steps, early.best_step, early.stopped) == (6, 2, "early")
    lent = tiny.lent(tmp_path, safety_seconds=0.0)
    safe = train(causal_network(), tiny.causal_rows(40), tiny.settings(), tiny.plan(20), lent)
    assert (safe.steps, safe.best_step, safe.stopped) == (1, 1, "safety")


def test_a_score_that_is_no_number_never_wins(tmp_path: Path) -> None:
    scores = iter([float("nan"), 0.1, float("nan")])
    lent = tiny.lent(tmp_path, validate=lambda: next(scores), save_every_seconds=0.0)
    result = train(causal_network(), tiny.causal_rows(12), tiny.settings(), tiny.plan(3, evaluate_every=1), lent)
    assert result.best_step == 2


def test_smoothing_and_noise_never_reach_the_evaluation(tmp_path: Path) -> None:
    network, items = causal_network(), tiny.causal_rows(20)
    seen = []

    def validate() -> float:
        values = scoring.log_probs(network, items, tiny.CPU, tiny.PAD)
        again = Network(network.trunk, "causal").eval().log_probs(collate(items, tiny.PAD))
        seen.append(all(np.allclose(a, b, atol=1e-5) for a, b in zip(values, again, strict=True)))
        return float(sum(value.sum() for value in values))

    settings = tiny.settings(smoothing=0.3, noise=5.0, z_loss=0.1)
    train(network, items, settings, tiny.plan(4, evaluate_every=1), tiny.lent(tmp_path, validate=validate))
    assert seen == [True] * 4
    assert network.noise == 0.0 and network.z_loss == 0.0


def test_training_learns_what_can_be_learnt_and_leaves_no_trace_of_randomness(tmp_path: Path) -> None:
    network, items = label_network(), tiny.learnable_rows(160)

    def accuracy() -> float:
        answers = scoring.answers(network, items[120:], tiny.CPU, tiny.PAD)
        return float(np.mean([row.argmax() == item.target for row, item in zip(answers, items[120:], strict=True)]))

    states = random.getstate(), torch.get_rng_state()
    settings = tiny.settings(rate=2e-3, batch_rows=16)
    result = train(network, items[:120], settings, tiny.plan(40, 16, 10), tiny.lent(tmp_path, validate=accuracy))
    assert result.best_score > 0.9
    assert result.tokens > 0
    assert states[0] == random.getstate() and torch.equal(states[1], torch.get_rng_state())
    assert accuracy() == result.best_score


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    def weights(seed: int) -> dict[str, torch.Tensor]:
        network = causal_network(dropout=0.1)
        train(network, tiny.causal_rows(20), tiny.settings(), tiny.plan(5), tiny.lent(tmp_path / "x", seed=seed))
        return moved_tensors(network)

    assert same(weights(1), weights(1))
    assert not same(weights(1), weights(2))


@pytest.mark.parametrize(
    ("items", "frozen", "message"), [([], False, "no row"), (tiny.causal_rows(3), True, "nothing in the network may move")]
)
def test_nothing_to_train_is_refused(items: list[Encoded], frozen: bool, message: str, tmp_path: Path) -> None:
    network = causal_network()
    network.requires_grad_(not frozen)
    with pytest.raises(ValueError, match=message):
        train(network, items, tiny.settings(), tiny.plan(3), tiny.lent(tmp_path))


def test_as_long_as_nothing_is_right_it_goes_on_and_the_latest_weights_are_kept(tmp_path: Path) -> None:
    network = Network(tiny.bert(), "label", outputs=3)
    scores = iter([0.0, 0.0, 0.0, 0.0, 0.0])
    lent = tiny.lent(tmp_path, validate=lambda: next(scores))
    done = train(network, tiny.label_rows(16), tiny.settings(patience=2), tiny.plan(10, evaluate_every=2), lent)
    assert (done.best_step, done.stopped) == (10, "plan")
