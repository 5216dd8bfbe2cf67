"""Bottleneck adapters: small networks behind the parts of every block; the base's own tensors keep their names and values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from accordeur.errors import NotApplicable
from accordeur.training.trainable import freeze_all, silence_dropout, stack, unfreeze

Placement = Literal["houlsby", "pfeiffer"]
MARK = "bottleneck_"  # how the names of adapters begin inside their block
START = 0.02  # standard deviation of the first matrix; the second starts at 0, so an adapter starts as the identity
ATTENTION = (  # the last layer of an attention part, by how names end inside a block
    "attention.output.dense", "attention.dense", "attn.c_proj", "SelfAttention.o", "EncDecAttention.o", "self_attn.o_proj",
    "self_attn.out_proj", "encoder_attn.out_proj", "attention.out_lin", "attention.out_proj", "attn.Wo",
)  # fmt: skip
FEED_FORWARD = (  # the last layer of a feed-forward part
    "output.dense", "mlp.c_proj", "DenseReluDense.wo", "mlp.down_proj", "mlp.dense_4h_to_h", "fc2", "ffn.lin2", "mlp.Wo",
)  # fmt: skip


class Bottleneck(nn.Module):
    """h + U relu(D h + d) + u, with D (width, hidden) and U (hidden, width)."""

    def __init__(self, hidden: int, width: int, generator: torch.Generator) -> None:
        nn.Module.__init__(self)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            self.down = nn.Linear(hidden, width)
            self.up = nn.Linear(width, hidden)
            self.down.weight.normal_(0.0, START, generator=generator)
            for zero in (self.down.bias, self.up.weight, self.up.bias):
                zero.zero_()

    def forward(self, hidden_BTH: Tensor) -> Tensor:
        """The same shape."""
        added_BTH: Tensor = self.up(F.relu(self.down(hidden_BTH)))
        return hidden_BTH + added_BTH


class Behind:
    """A hook that sends what a layer puts out through an adapter; copied together with the block that holds both."""

    def __init__(self, adapter: Bottleneck) -> None:
        self.adapter = adapter

    def __call__(self, layer: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        """What the rest of the block then reads."""
        adapted: Tensor = self.adapter(output)
        return adapted


def bottlenecks(
    network: Any, reduction: int = 16, placement: Placement = "houlsby", trunk_dropout: Literal["off", "keep"] = "off"
) -> int:
    """Puts adapters into every block, in place: only they and the head move. Returns how many there are.

    houlsby (Houlsby et al. 2019): behind the attention and behind the feed-forward part; pfeiffer (Pfeiffer et al. 2021):
    behind the feed-forward part only. Both stand before the residual sum. Their inner width is the hidden one over
    `reduction`. The start depends on the network's seed alone. Raises NotApplicable for a family whose parts are unknown.
    """
    freeze_all(network)
    if trunk_dropout == "off":
        silence_dropout(network.trunk)
    generator = torch.Generator().manual_seed(network.seed)
    weight = next(network.trunk.parameters())
    count = 0
    for block_name in stack(network):
        block = network.trunk.get_submodule(block_name)
        for name, layer in places(block, placement):
            hidden = int(layer.bias.shape[0]) if layer.bias is not None else int(layer.weight.shape[0])
            adapter = Bottleneck(hidden, max(1, hidden // reduction), generator).to(weight.device, weight.dtype)
            block.add_module(MARK + name.replace(".", "_"), adapter)
            layer.register_forward_hook(Behind(adapter))
            count += 1
    if not count:
        raise NotApplicable(f"it is not known where bottleneck adapters go in a {network.trunk.config.model_type}")
    unfreeze(network, lambda name: name.startswith("head.") or f".{MARK}" in name)
    return count


def places(block: nn.Module, placement: Placement) -> Iterator[tuple[str, Any]]:
    """The layers of a block behind which an adapter goes, with their names in it."""
    for name, layer in list(block.named_modules()):
        if MARK in name:
            continue
        attends = name.endswith(ATTENTION)
        if (attends and placement == "houlsby") or (not attends and name.endswith(FEED_FORWARD)):
            yield name, layer
