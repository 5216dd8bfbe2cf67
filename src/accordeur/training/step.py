"""One optimizer step's worth of gradient: micro-batches weighed by their labelled units, checked before anything moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from accordeur.errors import Diverged
from accordeur.example import Encoded
from accordeur.plan import DevicePlan
from accordeur.training.batches import collate
from accordeur.training.device import precision


@dataclass(frozen=True, kw_only=True)
class Gradient:
    """What a step's gradient was made of."""

    loss: float  # mean over labelled units
    norm: float  # before clipping
    tokens: int  # real tokens


def accumulate(
    network: Any, items: Sequence[Encoded], parts: Sequence[Sequence[int]], device: DevicePlan, pad: int, smoothing: float
) -> tuple[float, int]:
    """Adds the gradient of a step to the weights' `.grad`: the sum of all losses over the sum of all labelled units.

    Returns the mean loss and the real tokens. A loss that isn't finite ends it at once, before the backward pass.
    """
    units = max(1, sum(items[row].units for part in parts for row in part))
    network.whole = (units, sum(map(len, parts)))  # for a loss that is the sum of two means
    total, tokens = 0.0, 0
    for part in parts:
        batch = collate([items[row] for row in part], pad, device.device)
        with precision(device):
            loss, _ = network.loss(batch, smoothing)
        total += float(loss.detach())
        tokens += batch.real_tokens
        if not math.isfinite(total):
            break
        (loss / units).backward()
    network.whole = None
    return total / units, tokens


def gradient_norm(network: nn.Module) -> Tensor:
    """The 2-norm of the whole gradient."""
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return torch.nn.utils.get_total_norm(gradients) if gradients else torch.zeros(())


def clip(network: nn.Module, norm: Tensor, limit: float | None) -> None:
    """Scales the gradient down to the limit."""
    if limit is not None and float(norm) > limit:
        torch.nn.utils.clip_grads_with_norm_(network.parameters(), limit, norm)


def check_finite(loss: float, norm: float, *, step: int, rate: float, rows: Sequence[int]) -> None:
    """Raises Diverged where the loss or the gradient isn't finite; nothing has moved yet."""
    if math.isfinite(loss) and math.isfinite(norm):
        return
    named = ", ".join(str(row) for row in rows[:8]) + (" …" if len(rows) > 8 else "")
    raise Diverged(
        f"step {step} has loss {loss:.4g} and gradient norm {norm:.4g} at rate {rate:.3g} on rows {named}; "
        f"the weights are those after step {step - 1}",
        hint="lower the learning rate, lengthen the warm-up, or look at these rows",
    )
