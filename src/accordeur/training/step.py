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
from accordeur.training.batches import collate, packed
from accordeur.training.boundary import Boundary, reading
from accordeur.training.device import precision
from accordeur.training.processes import ALONE, Processes
from accordeur.training.state import Progress

GROWTH = 2000
LARGEST_SCALE = 2.0**24


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What the passes of a step are made of."""

    items: Sequence[Encoded]
    device: DevicePlan
    pad: int
    smoothing: float = 0.0
    packs: bool = False  # rows one after the other in place of side by side
    boundary: Boundary | None = None  # what the frozen blocks below give, where it has been computed before
    processes: Processes = ALONE


def accumulate(network: Any, feed: Feed, parts: Sequence[Sequence[int]], scale: float = 1.0) -> tuple[float, int]:
    """Adds the gradient of a step to the weights' `.grad`: the sum of all losses over the sum of all labelled units.

    scale: a factor on the gradient. Returns the mean loss and the real tokens. A loss that isn't finite ends it at once,
    before the backward pass.
    """
    items = {row: feed.items[row] for part in parts for row in part}  # once: some are made when asked for
    units = max(1, sum(items[row].units for part in parts for row in part))
    network.whole = (units, sum(map(len, parts)))  # for a loss that is the sum of two means, as with the next sentence
    total, tokens = 0.0, 0
    for part in filter(len, map(feed.processes.share, parts)):
        rows = [items[row] for row in part]
        batch = packed(rows, feed.device.device) if feed.packs else collate(rows, feed.pad, feed.device.device)
        with precision(feed.device), reading(feed.boundary, part, batch):
            loss, _ = network.loss(batch, feed.smoothing)
            total += float(loss.detach())
            tokens += batch.real_tokens
            if not math.isfinite(total):
                break
        (loss * (scale / units) if scale != 1.0 else loss / units).backward()
    network.whole = None
    total, tokens = feed.processes.summed(network, total, tokens)
    return total / units, tokens


def gradient_norm(network: nn.Module, scale: float = 1.0) -> Tensor:
    """The 2-norm of the whole gradient, which is first freed of the factor on it."""
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    if scale != 1.0:
        torch._foreach_div_(gradients, scale)
    return torch.nn.utils.get_total_norm(gradients) if gradients else torch.zeros(())


def overflowed(progress: Progress, loss: float, norm: float, scale: float) -> bool:
    """Whether a scaled fp16 gradient left its range: then the step is skipped and counted, and the scale halved.

    It doubles after GROWTH steps that fit, as in Micikevicius et al. (2018). Without a scale nothing is ever skipped.
    """
    if scale == 1.0 or not math.isfinite(loss):
        return False
    if math.isfinite(norm):
        progress.fitting += 1
        if progress.fitting == GROWTH:
            progress.scale, progress.fitting = min(2 * progress.scale, LARGEST_SCALE), 0
        return False
    progress.scale, progress.fitting = progress.scale / 2, 0
    progress.skipped += 1
    return True


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
