"""A base whose weights are read once, for many fits in one process: each gets a twin over the same memory."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from torch import nn

from accordeur.base import Base
from accordeur.plan import DevicePlan
from accordeur.training.quantised import is_quantised


class Kept:
    """What has been read of a base so far. Weights stay as they were read: whoever moves some must take copies of them."""

    def __init__(self, base: Base, device: DevicePlan) -> None:
        self.base = base
        self.device = device
        self.trunks: dict[bool, Any] = {}
        self.coder: Any = None

    def model(self, language_head: bool) -> Any:
        """A twin of the model, with or without its language head."""
        if language_head not in self.trunks:
            self.trunks[language_head] = self.base.load(language_head=language_head)[0].to(self.device.device)
        return twin(self.trunks[language_head])

    def tokenizer(self) -> Any:
        """The tokenizer; nobody here changes one."""
        self.coder = self.coder or self.base.tokenizer()
        return self.coder


def kept(base: Base, device: DevicePlan) -> Base:
    """The same base, read from disk once for as long as it is held."""
    if base.family == "remote":
        return base
    found = replace(base, source=Kept(base, device))
    found.__dict__["fingerprint"] = base.fingerprint  # digesting the weights once is enough
    return found


def twin(trunk: nn.Module) -> Any:
    """The same modules anew over the same memory: what is put into one, or frozen in it, is not in the other.

    Quantised layers, which never change, are the very same ones.
    """
    memo: dict[int, Any] = {
        id(value): nn.Parameter(value.data, requires_grad=value.requires_grad)
        for value in trunk.parameters()
        if type(value) is nn.Parameter
    }
    memo |= {id(value): value for value in trunk.buffers()}
    memo |= {id(layer): layer for layer in trunk.modules() if is_quantised(layer)}
    return copy.deepcopy(trunk, memo)


def own_what_moves(network: nn.Module) -> None:
    """Gives everything that may move memory of its own."""
    for parameter in network.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.clone()
