"""What a training does when memory runs short: smaller passes, then recomputed activations, recorded in its progress."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from accordeur.errors import EnvironmentFault
from accordeur.example import Encoded
from accordeur.plan import DevicePlan
from accordeur.training.batches import widths_of
from accordeur.training.device import free_bytes
from accordeur.training.state import Progress

WIDTHS = 20  # numbers kept for the backward pass per token, block and hidden unit: 16 in GPT-2, with some air
SHARE = 2  # activations may take this part of the free memory, one in so many
LEAST = 64  # tokens of a pass, below which nothing is gained


def is_short(fault: BaseException) -> bool:
    """Whether a fault says that memory ran out."""
    from accelerate.utils.memory import should_reduce_batch_size

    return isinstance(fault, MemoryError | torch.OutOfMemoryError) or should_reduce_batch_size(fault)


def bytes_per_token(network: Any, device: DevicePlan) -> int:
    """Activations that one padded token leaves behind, about."""
    config = network.trunk.config.get_text_config()
    blocks = int(config.num_hidden_layers) * (2 if config.is_encoder_decoder else 1)
    return WIDTHS * int(config.hidden_size) * blocks * (4 if device.dtype == "float32" else 3)


def settle(progress: Progress, network: Any, items: Sequence[Encoded], device: DevicePlan) -> str:
    """Before the first step: passes and activations that fit the memory that is free. Says what was decided, or ""."""
    if not can_recompute(network):
        return ""
    blocks = max(1, int(network.trunk.config.get_text_config().num_hidden_layers))
    room = free_bytes(device.device) // SHARE // bytes_per_token(network, device)
    longest = int(widths_of(items).max())
    if longest > room:
        progress.checkpointing = True
        room *= max(1, blocks // 2)  # one number per block is kept, and one block's activations live at a time
    if room < device.micro_tokens:
        progress.micro_tokens = max(LEAST, 1 << max(0, room.bit_length() - 1))
    recomputed = "activations are recomputed, " if progress.checkpointing else ""
    smaller = f"{progress.micro_tokens} tokens a pass" if progress.micro_tokens else ""
    return f"memory is short: {recomputed}{smaller}".rstrip(", ") if recomputed or smaller else ""


def relieve(progress: Progress, network: Any, parts: Sequence[Sequence[int]], device: DevicePlan) -> str:
    """After a step that found no memory: smaller passes, then recomputed activations; says which.

    Raises EnvironmentFault where both have been tried.
    """
    if any(len(part) > 1 for part in parts):
        progress.micro_tokens = max(1, (progress.micro_tokens or device.micro_tokens) // 2)
        return f"memory ran short: {progress.micro_tokens} tokens a pass from here on"
    if not progress.checkpointing and can_recompute(network):
        progress.checkpointing = True
        recompute(network)
        return "memory ran short: activations are recomputed from here on"
    raise EnvironmentFault(
        "memory is too short for a single row, even with recomputed activations",
        hint="lower --max-length, or take a smaller base or a method that moves less",
    )


def can_recompute(network: Any) -> bool:
    """Whether the trunk knows how to recompute its blocks."""
    return bool(getattr(network.trunk, "supports_gradient_checkpointing", False))


@contextlib.contextmanager
def recomputing(network: Any, wanted: bool) -> Iterator[None]:
    """Activations are recomputed where wanted; whatever was switched on, also inside, is switched off afterwards."""
    if wanted:
        recompute(network)
    try:
        yield
    finally:
        if can_recompute(network) and network.trunk.is_activation_checkpointing:
            network.trunk.activation_checkpointing_disable()


def recompute(network: Any) -> None:
    """Blocks are run again in the backward pass in place of keeping what they gave: the same gradient."""
    if can_recompute(network):
        network.trunk.activation_checkpointing_enable({"use_reentrant": False})
        network.trunk.disable_input_require_grads()  # only the reentrant way needs them, and they cost a gradient further down
