"""Packed rows: the hidden states, logits and training of one row at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from accordeur.example import Encoded
from accordeur.training import packing
from accordeur.training.batches import collate, packed, packed_micro_batches, steps
from accordeur.training.even import Even
from accordeur.training.loop import train
from accordeur.training.network import Network
from accordeur.training.trainable import moved_tensors

from . import tiny

PACKED = replace(tiny.CPU, packed=True)


@pytest.mark.parametrize("make", [tiny.gpt2, tiny.llama])
def test_documents_do_not_see_each_other(make: Any) -> None:
    network, items = Network(make(), "causal"), tiny.causal_rows(5)
    batch = packed(items)
    assert batch.tokens_BT.shape == (1, sum(len(item.tokens) for item in items)) and batch.mask_BT is None
    with torch.no_grad():
        together = network.trunk(**network.inputs(batch)).logits[0]
        apart = [network.trunk(**network.inputs(collate([item], tiny.PAD))).logits[0] for item in items]
    torch.testing.assert_close(together, torch.cat(apart), rtol=1e-4, atol=1e-4)
    other = [replace(items[0], tokens=items[0].tokens[::-1].copy()), *items[1:]]
    with torch.no_grad():
        changed = network.trunk(**network.inputs(packed(other))).logits[0]
    first = len(items[0].tokens)
    torch.testing.assert_close(changed[first:], together[first:], rtol=1e-5, atol=1e-5)
    assert not torch.allclose(changed[:first], together[:first], atol=1e-2)


@pytest.mark.parametrize("make", [tiny.gpt2, tiny.llama])
def test_a_packed_training_is_the_padded_one(make: Any, tmp_path: Path) -> None:
    moved = {}
    for device in (tiny.CPU, PACKED):
        network = Network(make(), "causal")
        with packing.packing(network, tiny.causal_rows(12), device) as packs:
            assert packs is device.packed
        chosen = tiny.settings(optimizer="sgd", rate=1e-3)
        lent = tiny.lent(tmp_path / str(device.packed), device=device)
        done = train(network, tiny.causal_rows(12), chosen, tiny.plan(6, evaluate_every=6), lent)
        moved[device.packed] = (moved_tensors(network), done.tokens)
    assert moved[True][1] == moved[False][1]
    for name, value in moved[False][0].items():
        torch.testing.assert_close(moved[True][0][name], value, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_packed_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for network, items in (
        (Network(tiny.bert(), "label", outputs=3), tiny.label_rows(4)),
        (Network(tiny.t5(), "seq2seq"), tiny.causal_rows(4)),
        (Network(tiny.gpt2(), "label", outputs=3), tiny.label_rows(4)),
    ):
        with packing.packing(network, items, PACKED) as packs:
            assert not packs
    network = Network(tiny.gpt2(), "causal")
    monkeypatch.setattr(packing, "packed", lambda items, device: replace(packed(items, device), positions_BT=None))
    with packing.packing(network, tiny.causal_rows(4), PACKED) as packs:
        assert not packs  # rows that see each other have another loss


def test_rows_of_one_width_are_not_packed() -> None:
    """Nothing would be gained: they are never padded."""

    class Same(Even):
        digest = "same"

        def __len__(self) -> int:
            return 6

        def row(self, place: int) -> Encoded:
            return tiny.causal_rows(1)[0]

    with packing.packing(Network(tiny.gpt2(), "causal"), Same(), PACKED) as packs:
        assert not packs


def test_packed_passes_hold_whole_rows_within_the_budget() -> None:
    widths = np.array([30, 20, 20, 10, 50])
    assert packed_micro_batches([4, 0, 1, 2, 3], widths, 50) == [[4], [0, 1], [2, 3]]
    assert packed_micro_batches([4, 0], widths, 10) == [[4], [0]]
    items = tiny.causal_rows(20)
    seen = [row for parts in steps(items, 4, 100, 0, 0, packs=True) for part in parts for row in part]
    assert sorted(seen) == list(range(20))
