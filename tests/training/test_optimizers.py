from __future__ import annotations

import importlib.util
from typing import Any

import pytest
import torch
from torch import nn

from accordeur.errors import EnvironmentFault
from accordeur.training import optimizers
from accordeur.training.network import Network
from accordeur.training.optimizers import BUILDERS, build, groups, set_rate
from accordeur.training.settings import TrainingSettings

from . import tiny

INSTALLED = [name for name in BUILDERS if name != "adamw8bit" or importlib.util.find_spec("bitsandbytes")]


def test_biases_and_norms_are_never_decayed_and_the_head_has_its_own_rate() -> None:
    network = Network(tiny.bert(), "label", outputs=3)
    parts = groups(network, TrainingSettings(rate=1e-3, head_rate=1e-2, weight_decay=0.1))
    assert len(parts) == 4
    heads = {id(p) for p in network.head.parameters()}  # type: ignore[union-attr]
    for part in parts:
        for parameter in part["params"]:
            assert part["weight_decay"] == (0.1 if parameter.ndim >= 2 else 0.0)
            assert part["peak"] == (1e-2 if id(parameter) in heads else 1e-3)
    assert sum(len(part["params"]) for part in parts) == len(list(network.parameters()))


def test_only_what_moves_is_optimized() -> None:
    network = Network(tiny.bert(), "label", outputs=3)
    network.trunk.requires_grad_(False)
    assert sum(len(part["params"]) for part in groups(network, TrainingSettings())) == 2


@pytest.mark.parametrize("name", INSTALLED)
def test_each_optimizer_goes_down_and_at_rate_zero_stays(name: Any) -> None:
    network = nn.Linear(4, 1, bias=False)
    target = torch.ones(1, 4)
    optimizer = build(network, TrainingSettings(optimizer=name, rate=0.05, weight_decay=0.0))
    losses = []
    for _ in range(30):
        loss = (network.weight - target).square().sum()
        losses.append(float(loss.detach()))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1] < 0.7 * losses[0]
    assert set_rate(optimizer, 0.5) == pytest.approx(0.025)


def test_adamw_decays_apart_from_the_gradient() -> None:
    network = nn.Linear(3, 2, bias=False)
    before = network.weight.detach().clone()
    optimizer = build(network, TrainingSettings(rate=0.1, weight_decay=0.5))
    network.weight.grad = torch.zeros_like(network.weight)
    optimizer.step()
    torch.testing.assert_close(network.weight.detach(), before * (1 - 0.1 * 0.5))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizers, "bitsandbytes", lambda: None)
    with pytest.raises(EnvironmentFault, match="bitsandbytes") as fault:
        build(nn.Linear(2, 2), TrainingSettings(optimizer="adamw8bit"))
    assert "accordeur[quant]" in fault.value.hint


@pytest.mark.parametrize(
    "wrong", [{"rate": 0.0}, {"smoothing": 1.0}, {"batch_rows": 0}, {"patience": 0}, {"clip": 0.0}, {"epochs": 0}, {"floor": 2.0}]
)
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        TrainingSettings(**wrong)


@pytest.mark.parametrize("shape", [(4, 6), (6,)])
def test_adafactor_moves_what_starts_at_zero_at_its_rate(shape: tuple[int, ...]) -> None:
    network = nn.ParameterList([nn.Parameter(torch.zeros(shape))])
    optimizer = build(network, TrainingSettings(optimizer="adafactor", rate=0.01, weight_decay=0.0))
    network[0].grad = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    optimizer.step()
    assert 0.005 < float(network[0].detach().square().mean().sqrt()) <= 0.0101
