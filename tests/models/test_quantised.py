"""A LoRA on a quantised base, where bitsandbytes is installed; a clear word where it isn't."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from accordeur.adapted import reopen
from accordeur.errors import Interrupted, NotApplicable
from accordeur.example import Encoded
from accordeur.training.batches import collate
from accordeur.training.network import Network, last_hidden
from accordeur.training.optimizers import build
from accordeur.training.settings import TrainingSettings
from accordeur.training.trainable import moved_tensors
from tests.bases import tiny
from tests.methods import cells
from tests.training.test_loop import run_through, same
from tests.training.tiny import settings as tiny_settings

installed = importlib.util.find_spec("bitsandbytes") is not None
needs_it = pytest.mark.skipif(not installed, reason="bitsandbytes isn't installed")


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "bitsandbytes" else find(name, *rest))
    with pytest.raises(NotApplicable, match=r"accordeur\[quant\]"):
        cells.fitted("qlora", "classify", "encoder", tmp_path)


@needs_it
@pytest.mark.parametrize("bits", ["nf4", "int8"])
@pytest.mark.parametrize(("kind", "family"), [("classify", "encoder"), ("write", "decoder"), ("write", "encoder-decoder")])
def test_trains_saves_and_reopens(bits: str, kind: str, family: str, tmp_path: Path) -> None:
    model = cells.fitted("qlora", kind, family, tmp_path, bits=bits)
    names = moved_tensors(model.network)  # type: ignore[attr-defined]
    assert all("lora_" in name or name.startswith("head.") for name in names)
    saved = cells.saved(model, tmp_path / "saved")
    assert cells.answers(reopen(saved), kind) == cells.answers(model, kind)


@needs_it
@pytest.mark.parametrize(("bits", "far"), [("nf4", 0.2), ("int8", 0.02)])
@pytest.mark.parametrize("family", ["encoder", "decoder"])
def test_a_quantised_trunk_is_near_the_plain_one_and_smaller(bits: str, far: float, family: str) -> None:
    from accordeur.training.quantised import quantise
    from accordeur.training.trainable import stack

    trunk, _ = tiny(family).load(language_head=False)
    plain, _ = tiny(family).load(language_head=False)
    network = Network(trunk, "label", outputs=2)
    assert quantise(network.trunk, stack(network), bits) == {"encoder": 12, "decoder": 8}[family]  # type: ignore[arg-type]
    batch = collate([Encoded(tokens=np.arange(5, 25, dtype=np.int32))], 0)
    with torch.no_grad():
        found, expected = (last_hidden(one, network.inputs(batch)) for one in (trunk, plain))
    error = float((found - expected).norm() / expected.norm())
    assert 0 < error < far


@needs_it
@pytest.mark.parametrize("how", ["full", "lora"])
def test_eight_bit_moments_are_resumed_bit_for_bit(how: str, tmp_path: Path) -> None:
    settings = tiny_settings(optimizer="adamw8bit", rate=3e-3)
    whole, expected = run_through(tmp_path / "whole", settings, how)
    count = iter(range(1, 100))
    with pytest.raises(Interrupted):
        run_through(tmp_path / "cut", settings, how, stop=lambda: next(count) == 6)
    resumed, found = run_through(tmp_path / "cut", settings, how)
    assert same(moved_tensors(resumed), moved_tensors(whole))
    assert found.best_score == expected.best_score


@needs_it
def test_large_moments_really_are_eight_bit_and_go_where_adamw_goes() -> None:
    torch.manual_seed(0)
    target = torch.randn(64, 128)
    ends = {}
    for name in ("adamw", "adamw8bit"):
        network = torch.nn.Linear(128, 64, bias=False)
        torch.nn.init.zeros_(network.weight)
        optimizer = build(network, TrainingSettings(optimizer=name, rate=0.05, weight_decay=0.0))  # type: ignore[arg-type]
        for _ in range(60):
            (network.weight - target).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()
        ends[name] = network.weight.detach()
        kept = {
            value.dtype for value in optimizer.state[network.weight].values() if torch.is_tensor(value) and value.numel() > 999
        }
        assert kept == {torch.uint8 if name == "adamw8bit" else torch.float32}
    assert float((ends["adamw8bit"] - ends["adamw"]).abs().mean()) < 0.02
    assert float((ends["adamw8bit"] - target).abs().mean()) < 0.1 * float(target.abs().mean())


@needs_it
@pytest.mark.parametrize("bits", ["nf4", "int8"])
@pytest.mark.parametrize(("kind", "family"), [("classify", "encoder"), ("write", "decoder"), ("write", "encoder-decoder")])
def test_scoring_in_between_leaves_the_gradients_as_they_are(bits: str, kind: str, family: str, tmp_path: Path) -> None:
    """Every adapter, down to the lowest: a forward pass without gradients may pack weights for speed, and lose the way back."""
    model: Any = cells.fitted("qlora", kind, family, tmp_path, bits=bits, dropout=0.0)
    task = cells.task_of(kind)
    batch = collate(model.items(task.train[:4]), model.codec.pad)

    def gradients() -> dict[str, torch.Tensor]:
        model.network.train().zero_grad()
        model.network.loss(batch)[0].backward()
        return {name: p.grad.clone() for name, p in model.network.named_parameters() if p.requires_grad}

    model.network.dropout.p = 0.0
    before = gradients()
    model.network.eval()
    model.log_probs(task.test)
    after = gradients()
    assert all(float(gradient.abs().max()) > 0 for name, gradient in before.items() if ".lora_B." in name)
    for name, expected in before.items():
        torch.testing.assert_close(after[name], expected, rtol=1e-5, atol=1e-7)
