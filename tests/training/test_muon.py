"""Muon: updates that are nearly orthogonal, AdamW where it says so, exact resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from accordeur.errors import Interrupted
from accordeur.training import optimizers
from accordeur.training.loop import train
from accordeur.training.muon import Muon, orthogonal, parts
from accordeur.training.network import Network
from accordeur.training.state import join_state, split_state
from tests.training.tiny import causal_rows, gpt2, lent, plan, settings

MUON = settings(optimizer="muon", rate=2e-3)


@pytest.mark.parametrize("shape", [(6, 6), (4, 12), (12, 4)])
def test_singular_values_of_an_update_end_near_one(shape: tuple[int, int]) -> None:
    updates = orthogonal(torch.randn(3, *shape, generator=torch.Generator().manual_seed(0)))
    values = torch.linalg.svdvals(updates)
    assert updates.shape == (3, *shape)
    assert float(values.min()) > 0.5
    assert float(values.max()) < 1.3


def test_the_update_keeps_the_directions_of_the_gradient() -> None:
    gradient = torch.randn(5, 5, generator=torch.Generator().manual_seed(1))
    left, _, right = torch.linalg.svd(gradient)
    inner = left.T @ orthogonal(gradient[None])[0] @ right.T
    assert float((inner - inner.diag().diag()).abs().max()) < 1e-4
    assert float(inner.diag().min()) > 0


def test_fused_query_key_value_are_three_matrices() -> None:
    assert [tuple(part.shape) for part in parts(torch.zeros(4, 12))] == [(4, 4)] * 3
    assert [tuple(part.shape) for part in parts(torch.zeros(12, 4))] == [(4, 4)] * 3
    assert [tuple(part.shape) for part in parts(torch.zeros(4, 16))] == [(4, 16)]


def test_matrices_of_the_blocks_are_orthogonal_and_the_rest_is_adamw() -> None:
    network = Network(gpt2(), "causal")
    optimizer = optimizers.build(network, MUON)
    assert isinstance(optimizer, Muon)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    kinds = {names[id(p)]: group["orthogonal"] for group in optimizer.param_groups for p in group["params"]}
    assert kinds.keys() == set(names.values())
    assert {name for name, muon in kinds.items() if muon} == {
        name for name in kinds if ".h." in name and name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight"))
    }


def test_what_is_not_a_matrix_moves_as_by_torchs_adamw() -> None:
    weight, twin = (torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0])) for _ in range(2))
    group = {"params": [weight], "lr": 0.01, "weight_decay": 0.1, "orthogonal": False}
    ours = Muon([group], MUON)
    theirs = torch.optim.AdamW([twin], lr=0.01, betas=MUON.betas, eps=MUON.epsilon, weight_decay=0.1)
    for step in range(10):
        weight.grad = twin.grad = torch.tensor([0.3, -0.1 * step, 1.0])
        ours.step()
        theirs.step()
        assert weight.detach() == pytest.approx(twin.detach(), abs=1e-6)


def test_it_learns_and_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    rows, planned = causal_rows(12), plan(8)
    whole = Network(gpt2(), "causal")
    training = train(whole, rows, MUON, planned, lent(tmp_path / "one"))
    assert training.curve[-1]["loss"] < training.curve[0]["loss"]
    asked = iter([False, False, True])
    with pytest.raises(Interrupted):
        train(Network(gpt2(), "causal"), rows, MUON, planned, lent(tmp_path / "two", stop=lambda: next(asked, True)))
    parted = Network(gpt2(), "causal")
    train(parted, rows, MUON, planned, lent(tmp_path / "two"))
    assert all(torch.equal(left, right) for left, right in zip(whole.parameters(), parted.parameters(), strict=True))


def spread(rows: int, columns: int) -> torch.Tensor:
    """(3, rows, columns) with singular values evenly from 0.2 to 1."""
    left, _, right = torch.linalg.svd(
        torch.randn(3, rows, columns, generator=torch.Generator().manual_seed(2)), full_matrices=False
    )
    return left * torch.linspace(1, 0.2, min(rows, columns)) @ right


@pytest.mark.parametrize("shape", [(48, 48), (48, 192), (192, 48)])
def test_in_half_precision_updates_are_those_of_single_within_its_rounding(shape: tuple[int, int]) -> None:
    gradients = spread(*shape)
    single, half = orthogonal(gradients), orthogonal(gradients, half=True)
    values = torch.linalg.svdvals(half)
    assert half.dtype == torch.float32 and half.shape == gradients.shape
    assert float(values.min()) > 0.6
    assert float(values.max()) < 1.3
    assert float(torch.cosine_similarity(single.flatten(1), half.flatten(1)).min()) > 0.99
    assert not torch.equal(single, half)


def stepped(optimizer: Muon, weights: list[torch.nn.Parameter], first: int, last: int) -> None:
    for step in range(first, last):
        for place, weight in enumerate(weights):
            weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(10 * step + place))
        optimizer.step()


def some_weights() -> tuple[list[torch.nn.Parameter], list[dict[str, Any]]]:
    draw = torch.Generator().manual_seed(3)
    weights = [torch.nn.Parameter(torch.randn(*shape, generator=draw)) for shape in ((8, 24), (24, 8), (50, 8), (8,))]
    groups = [
        {"params": weights[:2], "lr": 0.02, "weight_decay": 0.1, "orthogonal": True},
        {"params": weights[2:3], "lr": 0.02, "weight_decay": 0.1, "orthogonal": False},
        {"params": weights[3:], "lr": 0.01, "weight_decay": 0.0, "orthogonal": False},
    ]
    return weights, groups


def test_the_fused_adamw_is_the_formula_written_out() -> None:
    weights, groups = some_weights()
    optimizer = Muon(groups, settings(optimizer="muon", betas=(0.9, 0.95), epsilon=1e-6))
    weight, decayed = weights[3].detach().clone(), weights[2].detach().clone()
    moments = [[torch.zeros_like(one), torch.zeros_like(one)] for one in (decayed, weight)]
    for step in range(6):
        stepped(optimizer, weights, step, step + 1)
        for place, (one, group) in enumerate(zip((decayed, weight), groups[1:], strict=True)):
            gradient, rate = weights[2 + place].grad, group["lr"]
            assert gradient is not None
            first, second = moments[place] = [
                0.9 * moments[place][0] + 0.1 * gradient,
                0.95 * moments[place][1] + 0.05 * gradient.square(),
            ]
            one.mul_(1 - rate * group["weight_decay"])
            one.sub_(rate * first / (1 - 0.9 ** (step + 1)) / ((second / (1 - 0.95 ** (step + 1))).sqrt() + 1e-6))
            torch.testing.assert_close(weights[2 + place].detach(), one, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("half", [False, True])
def test_a_saved_state_goes_on_bit_for_bit(half: bool) -> None:
    whole, groups = some_weights()
    optimizer = Muon(groups, MUON, half=half)
    stepped(optimizer, whole, 0, 3)
    tensors, numbers = split_state(optimizer)
    parted, groups = some_weights()
    with torch.no_grad():
        for left, right in zip(parted, whole, strict=True):
            left.copy_(right)
    again = Muon(groups, MUON, half=half)
    join_state(again, {name: tensor.clone() for name, tensor in tensors.items()}, numbers)
    stepped(optimizer, whole, 3, 6)
    stepped(again, parted, 3, 6)
    assert all(torch.equal(left, right) for left, right in zip(whole, parted, strict=True))
