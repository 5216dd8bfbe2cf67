"""The one dial of `pretrain`: minutes become FLOPs by what products reach on this machine, and FLOPs become a shape."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import torch

from accordeur.foundations.shapes import TOKENS_PER_WEIGHT, Family, Shape, shape_for
from accordeur.plan import DevicePlan
from accordeur.training.device import threads

TRIALS = 6
ROWS, WIDTH, WIDER = 512, 768, 3072  # of the product that is tried: a feed-forward's, 0.1 s where cores are slow
SHARE = 0.5  # of a large product's FLOP/s, that training reaches: on a core 0.53 at width 64, 0.85 at 384, 0.59 of a T5 of 192


@dataclass(frozen=True, kw_only=True)
class Dialled:
    """A shape, and what it was chosen by."""

    shape: Shape
    flops_per_second: float  # of products, over all processes
    flops: float  # that training may take

    def plain(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self)

    def told(self, minutes: float) -> str:
        """One line for who is waiting."""
        return (
            f"matrix products make {self.flops_per_second:.2g} FLOP/s here, training {SHARE:.0%} of that; {minutes:g} minutes: "
            f"{self.flops:.2g} FLOPs, {TOKENS_PER_WEIGHT} tokens a weight of {self.shape.layers} layers by {self.shape.width}"
        )


def read_dialled(values: dict[str, Any]) -> Dialled:
    """What `plain` gave, as it was."""
    return Dialled(**{**values, "shape": Shape(**values["shape"])})


def dialled(family: Family, minutes: float, device: DevicePlan, processes: int = 1) -> Dialled:
    """The shape that so many minutes of so many devices can train, by a trial of some tenths of a second."""
    rate = product_rate(device) * processes
    flops = rate * SHARE * 60 * minutes
    return Dialled(shape=shape_for(flops, family), flops_per_second=rate, flops=flops)


def product_rate(device: DevicePlan) -> float:
    """FLOP/s of a matrix product on the planned device, in its precision and with its threads: the fastest of a few."""
    dtype = getattr(torch, device.dtype)
    left, right = (torch.ones(size, dtype=dtype, device=device.device) for size in ((ROWS, WIDTH), (WIDTH, WIDER)))
    times = []
    with threads(device):
        for _ in range(TRIALS):
            begun = time.perf_counter()
            float(torch.mm(left, right)[0, 0])  # reading a number waits for an accelerator
            times.append(time.perf_counter() - begun)
    return 2 * ROWS * WIDTH * WIDER / min(times)
