from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from accordeur.example import Encoded
from accordeur.training.batches import collate
from accordeur.training.contrast import SEGMENTS, Pairs, pair, pairs
from accordeur.training.loop import train
from accordeur.training.network import Network
from accordeur.training.pooling import pool

from . import tiny


def halves(item: Encoded) -> tuple[list[int], list[int]]:
    assert item.segments is not None
    second = item.segments >= SEGMENTS
    return item.tokens[~second].tolist(), item.tokens[second].tolist()


def test_partners_are_of_the_asked_label_and_drawn_by_the_seed() -> None:
    rows = tiny.label_rows(12)
    label_of = {tuple(row.tokens.tolist()): row.target for row in rows}
    found = pairs(rows, 3, seed=0)
    for item in found:
        one, two = halves(item)
        assert one != two
        assert item.target == float(label_of[tuple(one)] == label_of[tuple(two)])
    for wanted in (0.0, 1.0):
        counts = [sum(item.target == wanted and halves(item)[0] == row.tokens.tolist() for item in found) for row in rows]
        sizes = [sum((other.target == row.target) == bool(wanted) for other in rows) - int(wanted) for row in rows]
        assert counts == [min(3, size) for size in sizes]
    again = pairs(rows, 3, seed=0)
    assert [item.tokens.tolist() for item in again] == [item.tokens.tolist() for item in found]
    assert [item.tokens.tolist() for item in pairs(rows, 3, seed=1)] != [item.tokens.tolist() for item in found]


def test_a_label_with_one_row_has_only_others() -> None:
    rows = [Encoded(tokens=np.asarray([2, 3 + place], np.int32), target=int(place > 0), row=place) for place in range(4)]
    assert [item.target for item in pairs(rows, 2, 0) if halves(item)[0] == [2, 3]] == [0.0, 0.0]


def test_the_loss_is_its_formula_row_by_row() -> None:
    network = Network(tiny.bert(), "label", outputs=2, pooling="mean")
    rows = tiny.label_rows(5)
    items = pairs(rows, 2, 0)[:7]
    expected = 0.0
    with torch.no_grad():
        for item in items:
            vectors = []
            for half in halves(item):
                batch = collate([Encoded(tokens=np.asarray(half, np.int32))], tiny.PAD)
                vectors.append(pool(network.hidden(batch), batch.lengths_B, "mean"))
            expected += (float(F.cosine_similarity(*vectors)) - float(item.target)) ** 2  # type: ignore[arg-type]
        loss, count = Pairs(network).loss(collate(items, tiny.PAD))
    assert count == 7
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_training_draws_labels_together(tmp_path: object) -> None:
    network = Network(tiny.bert(), "label", outputs=2, pooling="mean")
    rows = tiny.learnable_rows(24)

    def gap() -> float:
        with torch.no_grad():
            batch = collate(rows, tiny.PAD)
            vectors = F.normalize(pool(network.eval().hidden(batch), batch.lengths_B, "mean"), dim=1)
        labels = torch.tensor([row.target for row in rows])
        same = labels[:, None] == labels[None]
        likeness = vectors @ vectors.T
        return float(likeness[same].mean() - likeness[~same].mean())

    before = gap()
    train(Pairs(network), pairs(rows, 4, 0), tiny.settings(rate=1e-3), tiny.plan(40, 8, 40), tiny.lent(tmp_path))  # type: ignore[arg-type]
    assert gap() > before + 0.3


def test_a_decoder_is_trained_on_the_vectors_that_it_answers_with() -> None:
    """GPT-2 takes segments for words: of one text it must get none, as in every answer."""
    network = Network(tiny.gpt2(), "label", outputs=2, pooling="mean")
    rows = [
        Encoded(tokens=np.arange(2, 12, dtype=np.int32), target=0),
        Encoded(tokens=np.arange(30, 36, dtype=np.int32), target=1),
    ]
    batch = collate(rows, tiny.PAD)
    with torch.no_grad():
        plain = F.normalize(pool(network.hidden(batch), batch.lengths_B, "mean"), dim=1)
        loss, _ = Pairs(network).loss(collate([pair(*rows, 0.0, 0)], tiny.PAD))
    assert float(loss) == pytest.approx(float(plain[0] @ plain[1]) ** 2, rel=1e-5)
