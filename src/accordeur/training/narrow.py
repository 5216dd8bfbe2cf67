"""Frozen matrices kept in the dtype in which training multiplies them: cast once, not again in every pass."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from accordeur.plan import DevicePlan
from accordeur.training.device import free_bytes
from accordeur.training.network import Network
from accordeur.training.vocabulary import find_head

ROOM = 4  # the copies may take this part of the free memory, one in so many


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """Weights with their narrow copies, and the narrow vocabulary head of each network."""

    weights: list[tuple[nn.Parameter, Tensor, Tensor]] = field(default_factory=list)  # the weight, as it is, its copy
    heads: list[tuple[Network, Tensor]] = field(default_factory=list)

    def put(self, narrow: bool) -> None:
        """Sets every weight to its copy, or back to itself."""
        for weight, wide, copy in self.weights:
            weight.data = copy if narrow else wide
        for network, head in self.heads:
            network.narrow_head = head if narrow else None

    @contextlib.contextmanager
    def wide(self) -> Iterator[None]:
        """The weights as they are, for evaluations."""
        self.put(narrow=False)
        try:
            yield
        finally:
            self.put(narrow=True)


@contextlib.contextmanager
def narrowed(network: Any, device: DevicePlan) -> Iterator[Narrowed]:
    """Narrow copies of all frozen matrices while it lasts, where the plan trains in another dtype than the weights'.

    Products are those that autocast would have made; what moves, embeddings and norms stay as they are.
    """
    found = Narrowed()
    if device.dtype != "float32" and has_room(network, device):
        found = copies(network, getattr(torch, device.dtype))
    found.put(narrow=True)
    try:
        yield found
    finally:
        found.put(narrow=False)


def has_room(network: nn.Module, device: DevicePlan) -> bool:
    """Whether the copies take a small part of the memory that is free."""
    wanted = 2 * sum(weight.numel() for weight in network.parameters() if not weight.requires_grad)
    return wanted * ROOM < free_bytes(device.device)


def copies(network: Any, dtype: torch.dtype) -> Narrowed:
    """A copy of the matrix of each frozen linear layer, and of the vocabulary head where embeddings share it."""
    from transformers.pytorch_utils import Conv1D

    embedded = {id(module.weight) for module in network.modules() if isinstance(module, nn.Embedding)}
    weights: dict[int, nn.Parameter] = {}
    for module in network.modules():
        if type(module) in (nn.Linear, Conv1D) and id(module.weight) not in embedded:
            weights[id(module.weight)] = module.weight
    frozen = [weight for weight in weights.values() if not weight.requires_grad and weight.dtype == torch.float32]
    heads = []
    for part in network.modules():
        head = find_head(part.trunk) if isinstance(part, Network) and part.tiled else None
        if head is not None and id(head.weight_VH) in embedded and not head.weight_VH.requires_grad:
            heads.append((part, head.weight_VH.detach().to(dtype)))
    return Narrowed(weights=[(weight, weight.data, weight.data.to(dtype)) for weight in frozen], heads=heads)
