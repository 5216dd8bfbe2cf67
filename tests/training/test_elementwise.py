from __future__ import annotations

import torch
from torch import nn
from transformers.activations import ACT2FN

from accordeur.training.batches import collate
from accordeur.training.elementwise import fuse_gelu
from accordeur.training.network import Network

from . import tiny


def test_the_fused_gelu_differs_by_at_most_a_millionth() -> None:
    values = torch.linspace(-12, 12, 200_001)
    for name in ("gelu_new", "gelu_fast"):
        holder = nn.Sequential(ACT2FN[name])
        expected = holder(values)
        assert fuse_gelu(holder) == 1
        assert float((holder(values) - expected).abs().max()) <= 1e-6


def test_a_network_uses_it_where_its_base_does() -> None:
    trunk, items = tiny.gpt2(), tiny.causal_rows(4)
    batch = collate(items, tiny.PAD)
    plain = trunk(input_ids=batch.tokens_BT).logits.detach()
    network = Network(trunk, "causal")
    assert fuse_gelu(trunk) == 0
    torch.testing.assert_close(network.trunk(input_ids=batch.tokens_BT).logits.detach(), plain, rtol=1e-4, atol=1e-5)
    assert fuse_gelu(tiny.llama()) == 0
