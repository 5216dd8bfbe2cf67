"""The repeated block compiled by PyTorch, where a short trial has shown that it pays."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

from torch import nn

from accordeur.plan import DevicePlan
from accordeur.training.network import Network
from accordeur.training.trainable import blocks

GAIN = 1.05  # a compiled step must be that much faster
COST = 90.0  # seconds that compiling may take: it is tried only where a run lasts ten times as long
LASTING = 10


def worth_trying(network: Any, device: DevicePlan, seconds: float) -> bool:
    """Whether a run of so many seconds could earn the compilation back, and a compiler is there."""
    if type(network) is not Network or seconds < LASTING * COST:
        return False
    return device.device.startswith("cuda") or any(shutil.which(name) for name in ("g++", "clang++"))


@contextlib.contextmanager
def compiled(network: Any, wanted: bool = True) -> Iterator[None]:
    """Each repeated block is compiled when it is first called, for all lengths at once; afterwards it is as it was."""
    parts: list[nn.Module] = [block for _, block in blocks(network.trunk)] if wanted else []
    for block in parts:
        block.compile(dynamic=True)
    try:
        yield
    finally:
        for block in parts:
            block._compiled_call_impl = None


@contextlib.contextmanager
def plain(network: Any) -> Iterator[None]:
    """The blocks as they are, for evaluations: they would be compiled once more for them."""
    kept = [(block, block._compiled_call_impl) for block in network.modules() if block._compiled_call_impl is not None]
    for block, _ in kept:
        block._compiled_call_impl = None
    try:
        yield
    finally:
        for block, call in kept:
            block._compiled_call_impl = call
