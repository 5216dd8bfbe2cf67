"""The exactness gate: our loss and gradient against plain transformers in float32, dropout off."""

from __future__ import annotations

import copy
from typing import Any

import torch

from accordeur.training.adapters import fused
from accordeur.training.batches import collate
from accordeur.training.boundary import Boundary, reading
from accordeur.training.network import Network


def language_model(network: Network, plain: Any, items: list[Any], pad: int, below: Boundary | None = None) -> dict[str, float]:
    """`plain` holds the same weights and adapters; both see the same batch, the library with its own labels."""
    batch = collate(items, pad)
    network.eval()
    plain.eval()
    with fused(network.trunk), reading(below, range(len(items)), batch):
        loss, units = network.loss(batch)
        torch.autograd.backward(loss / units)
    assert batch.targets is not None
    labels = torch.full_like(batch.tokens_BT, -100)
    labels[:, 1:] = batch.targets[:, :-1]
    extra = batch.targets[torch.arange(len(items)), batch.lengths_B - 1]
    tokens = torch.nn.functional.pad(batch.tokens_BT, (0, 1), value=pad)
    labels = torch.nn.functional.pad(labels, (0, 1), value=-100)
    rows = torch.arange(len(items))
    tokens[rows, batch.lengths_B] = extra.clamp_min(0)
    labels[rows, batch.lengths_B] = extra
    mask = torch.arange(tokens.shape[1])[None] <= batch.lengths_B[:, None]
    expected = plain(input_ids=tokens, attention_mask=mask, labels=labels).loss
    expected.backward()
    ours = flat([p.grad for p in network.trunk.parameters()])
    theirs = flat([p.grad for p in plain.parameters()])
    cosine = torch.nn.functional.cosine_similarity(ours.double(), theirs.double(), dim=0)
    return {"loss_difference": abs(float(loss.detach() / units - expected.detach())), "cosine": float(cosine)}


def adapters(holder: Network, items: list[Any], pad: int) -> dict[str, float]:
    """The same for fresh adapters, which first get something to say."""
    for name, parameter in holder.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    return language_model(holder, plain_gpt2(holder), items, pad)


def plain_gpt2(network: Network) -> Any:
    """The same weights in the library's own blocks, its eight-pass GELU included."""
    from transformers.activations import ACT2FN

    twin = copy.deepcopy(network)
    for block in twin.trunk.transformer.h:
        block.mlp.act = ACT2FN["gelu_new"]
    return twin.trunk


def flat(gradients: list[torch.Tensor | None]) -> torch.Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients if gradient is not None])
