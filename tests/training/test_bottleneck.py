from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from accordeur.errors import NotApplicable
from accordeur.training.batches import collate
from accordeur.training.bottleneck import Bottleneck, bottlenecks
from accordeur.training.network import Network
from accordeur.training.trainable import count, load_moved, moved_tensors

from . import tiny

FORMS = [(tiny.bert, "label"), (tiny.gpt2, "causal"), (tiny.llama, "causal"), (tiny.t5, "seq2seq"), (tiny.t5, "label")]


def network_of(make: Any, form: Any) -> Network:
    return Network(make(), form, outputs=3)


def rows_for(form: str) -> Any:
    return collate(tiny.label_rows(4) if form == "label" else tiny.causal_rows(4), tiny.PAD)


@pytest.mark.parametrize(("make", "form"), FORMS)
def test_starts_as_the_identity_and_leaves_the_base_untouched(make: Any, form: str) -> None:
    network, batch = network_of(make, form), rows_for(form)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    expected = network.loss(batch)[0]
    bottlenecks(network)
    torch.testing.assert_close(network.loss(batch)[0], expected, rtol=0, atol=0)
    after = network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert all(name.startswith("head.") or "bottleneck_" in name for name in moved_tensors(network))
    network.train().loss(batch)[0].backward()
    frozen = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert set(frozen) == {name for name, parameter in network.named_parameters() if not parameter.requires_grad}


@pytest.mark.parametrize(("make", "form", "each"), [(tiny.bert, "label", 2), (tiny.gpt2, "causal", 2), (tiny.t5, "seq2seq", 2.5)])
def test_placements(make: Any, form: str, each: float) -> None:
    """Two blocks (four for T5, whose decoder attends twice): houlsby behind every part, pfeiffer behind one of each block."""
    blocks = 4 if form == "seq2seq" else 2
    assert bottlenecks(network_of(make, form), placement="houlsby") == each * blocks
    assert bottlenecks(network_of(make, form), placement="pfeiffer") == blocks


def test_size_is_that_of_the_formula() -> None:
    network = network_of(tiny.bert, "label")
    places, width, hidden = bottlenecks(network, reduction=16), tiny.WIDTH // 16, tiny.WIDTH
    assert count(network).moving == places * (2 * width * hidden + width + hidden) + 3 * hidden + 3


def test_the_adapter_is_its_formula() -> None:
    adapter = Bottleneck(8, 2, torch.Generator().manual_seed(0))
    with torch.no_grad():
        adapter.up.weight.normal_()
    h = torch.randn(3, 8)
    low = torch.relu(h @ adapter.down.weight.T + adapter.down.bias)
    torch.testing.assert_close(adapter(h), h + low @ adapter.up.weight.T + adapter.up.bias)


def test_same_seed_same_start_and_the_random_state_is_left_alone() -> None:
    one, two = network_of(tiny.bert, "label"), network_of(tiny.bert, "label")
    bottlenecks(one)
    before = torch.get_rng_state()
    bottlenecks(two)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(value, moved_tensors(two)[name]) for name, value in moved_tensors(one).items())


def test_a_copy_answers_through_its_own_adapters() -> None:
    network, batch = network_of(tiny.bert, "label"), rows_for("label")
    bottlenecks(network)
    other = copy.deepcopy(network)
    load_moved(other, {name: torch.randn_like(tensor) for name, tensor in moved_tensors(other).items() if "bottleneck" in name})
    expected = network.loss(batch)[0]
    assert not torch.allclose(other.loss(batch)[0], expected)
    torch.testing.assert_close(network.loss(batch)[0], expected, rtol=0, atol=0)


def test_unknown_blocks_are_refused() -> None:
    network = network_of(tiny.bert, "label")
    network.trunk.encoder.layer = torch.nn.ModuleList(torch.nn.ModuleList([torch.nn.Identity()]) for _ in range(2))
    with pytest.raises(NotApplicable, match="bert"):
        bottlenecks(network)
