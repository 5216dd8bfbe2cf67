from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from accordeur.training import features, scoring
from accordeur.training.features import FeatureCache, encode
from accordeur.training.network import Network

from . import tiny


@pytest.mark.parametrize("make", [tiny.bert, tiny.gpt2, tiny.t5])
@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_a_vector_is_that_of_its_row_alone_in_the_order_of_the_rows(make: Any, pooling: str) -> None:
    trunk, items = make(), tiny.label_rows(20)
    found = encode(trunk, items, pooling, tiny.CPU, tiny.PAD)
    assert found.shape == (20, tiny.WIDTH) and found.dtype == np.float32
    model = trunk.get_encoder() if make is tiny.t5 else trunk.base_model
    for item, vector in zip(items, found, strict=True):
        with torch.no_grad():
            hidden = model(input_ids=torch.from_numpy(item.tokens).long()[None]).last_hidden_state[0]
        expected = hidden.mean(0) if pooling == "mean" else hidden[-1]
        np.testing.assert_allclose(vector, expected.numpy(), rtol=1e-4, atol=1e-5)


def test_cached_features_are_read_back_and_belong_to_base_tokens_and_pooling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trunk, items = tiny.bert(), tiny.label_rows(6)
    first = np.array(encode(trunk, items, "mean", tiny.CPU, tiny.PAD, FeatureCache(folder=tmp_path, base="a")))
    encode(trunk, items[:5], "mean", tiny.CPU, tiny.PAD, FeatureCache(folder=tmp_path, base="a"))
    encode(trunk, items, "cls", tiny.CPU, tiny.PAD, FeatureCache(folder=tmp_path, base="a"))
    encode(trunk, items, "mean", tiny.CPU, tiny.PAD, FeatureCache(folder=tmp_path, base="b"))
    assert len(list(tmp_path.iterdir())) == 4
    monkeypatch.setattr(features, "compute", lambda *_: pytest.fail("computed again"))
    again = encode(trunk, items, "mean", tiny.CPU, tiny.PAD, FeatureCache(folder=tmp_path, base="a"))
    assert isinstance(again, np.memmap) and not again.flags.writeable
    np.testing.assert_array_equal(again, first)


def test_scoring_keeps_the_order_and_the_mode_and_needs_no_gradient() -> None:
    network, items = Network(tiny.bert(dropout=0.3), "label", outputs=3).train(), tiny.label_rows(20)
    first = scoring.answers(network, items, tiny.CPU, tiny.PAD)
    again = scoring.answers(network, items[::-1], tiny.CPU, tiny.PAD)[::-1]
    np.testing.assert_allclose(np.stack(first), np.stack(again), rtol=1e-4, atol=1e-5)
    assert network.training
    assert scoring.answers(network, [], tiny.CPU, tiny.PAD) == []
