"""Frozen matrices in training's dtype: what autocast would have made, and gone afterwards."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from accordeur.plan import DevicePlan
from accordeur.training import narrow
from accordeur.training.batches import collate
from accordeur.training.device import precision
from accordeur.training.narrow import narrowed
from accordeur.training.network import Network
from accordeur.training.trainable import freeze_all, lora, unfreeze_top

from . import tiny

HALF = DevicePlan(dtype="bfloat16")


@pytest.mark.parametrize(
    ("make", "form"), [(tiny.gpt2, "causal"), (tiny.llama, "causal"), (tiny.bert, "label"), (tiny.t5, "seq2seq")]
)
def test_the_loss_is_bit_for_bit_that_of_autocast(make: Any, form: Any) -> None:
    network = Network(make(), form, outputs=3, dropout=0.0)
    lora(network, rank=4, alpha=8)
    batch = collate(tiny.label_rows(5) if form == "label" else tiny.causal_rows(5), tiny.PAD)
    with precision(HALF):
        expected = network.loss(batch)[0]
    before = {name: weight.data.clone() for name, weight in network.named_parameters()}
    with narrowed(network, HALF) as copies:
        assert copies.weights
        with precision(HALF):
            assert torch.equal(network.loss(batch)[0], expected)
        with copies.wide():
            assert all(torch.equal(weight.data, before[name]) for name, weight in network.named_parameters())
    for name, weight in network.named_parameters():
        assert weight.dtype == torch.float32 and torch.equal(weight.data, before[name])
    assert network.narrow_head is None


def test_what_moves_and_what_is_embedded_stays_wide() -> None:
    network = Network(tiny.gpt2(), "causal")
    unfreeze_top(network, 1)
    with narrowed(network, HALF):
        dtypes = {name: weight.dtype for name, weight in network.named_parameters()}
    assert dtypes["trunk.transformer.h.0.mlp.c_fc.weight"] == torch.bfloat16
    assert dtypes["trunk.transformer.h.1.mlp.c_fc.weight"] == torch.float32
    assert dtypes["trunk.transformer.wte.weight"] == dtypes["trunk.transformer.h.0.ln_1.weight"] == torch.float32


def test_no_copies_where_memory_is_short_or_nothing_is_gained(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(tiny.gpt2(), "causal")
    freeze_all(network)
    with narrowed(network, DevicePlan()) as copies:
        assert not copies.weights
    monkeypatch.setattr(narrow, "has_room", lambda *_: False)
    with narrowed(network, HALF) as copies:
        assert not copies.weights and not copies.heads
