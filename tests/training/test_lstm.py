"""The LSTM language model: it looks back only, scores what it trains on, and learns by the one loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from accordeur.example import IGNORED, Encoded
from accordeur.plan import DevicePlan
from accordeur.training.batches import collate
from accordeur.training.loop import train
from accordeur.training.lstm import LstmNetwork, LstmShape
from accordeur.training.scoring import log_probs
from tests.training.tiny import lent, plan, settings

SHAPE = LstmShape(vocabulary=20, width=16, layers=2)


def rows(count: int = 24) -> list[Encoded]:
    """Counting modulo 12, from any start."""
    made = []
    for start in range(count):
        ids = np.arange(start, start + 10, dtype=np.int32) % 12
        made.append(Encoded(tokens=ids[:-1], target=ids[1:], row=start))
    return made


def test_later_tokens_change_nothing_before_them() -> None:
    network = LstmNetwork(SHAPE).eval()
    first, second = (network.logits(torch.tensor([[1, 2, 3, last]])) for last in (4, 9))
    assert torch.equal(first[:, :3], second[:, :3])
    assert not torch.equal(first[:, 3], second[:, 3])


def test_loss_is_the_sum_of_the_log_probabilities_without_padding() -> None:
    network = LstmNetwork(SHAPE).eval()
    short = Encoded(tokens=np.array([1, 2], np.int32), target=np.array([IGNORED, 3], np.int32))
    batch = collate([rows()[0], short], 0)
    loss, units = network.loss(batch)
    scored = network.log_probs(batch)
    assert units == 10
    assert [len(row) for row in scored] == [9, 1]
    assert float(loss.detach()) == pytest.approx(-sum(float(row.sum()) for row in scored), rel=1e-5)


def test_it_learns_to_count(tmp_path: Path) -> None:
    network = LstmNetwork(SHAPE, seed=1)
    train(network, rows(), settings(rate=2e-2), plan(120, batch_rows=8, evaluate_every=120), lent(tmp_path))
    scored = log_probs(network, rows(12), DevicePlan(device="cpu"), 0)
    assert np.exp(np.concatenate([row[1:] for row in scored]).mean()) > 0.9


def test_the_same_seed_gives_the_same_model() -> None:
    left, right = (LstmNetwork(SHAPE, seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(left[name], right[name]) for name in left)
    assert not torch.equal(left["trunk.embedding.weight"], LstmNetwork(SHAPE, seed=4).trunk.embedding.weight)
