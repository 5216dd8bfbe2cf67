"""Rows packed one after the other without padding, each seeing itself only: for accelerators, where it is shown to hold."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from accordeur.example import Encoded
from accordeur.plan import DevicePlan
from accordeur.training.batches import collate, packed
from accordeur.training.device import precision, threads
from accordeur.training.even import Even
from accordeur.training.network import Network, is_decoder
from accordeur.training.scoring import evaluating

TRIED = 3  # rows
TOLERANCE = 1e-4  # of their loss, relative; half precision rounds at 4e-3
ISOLATED = 1e-5  # nats by which a row may change with its neighbour: the same sums, so nothing in any precision
KERNELS = ("flash_attention_2",)  # keep rows apart without a table of all pairs of tokens, and are there at once


@contextlib.contextmanager
def packing(network: Any, items: Sequence[Encoded], device: DevicePlan) -> Iterator[bool]:
    """Whether rows are packed while it lasts: where the plan says so, the trunk can, and a few rows have the same loss.

    Rows of one width are never padded, so packing would gain nothing. On an accelerator attention then runs by a kernel of the
    library that reads where rows begin from their positions: a table of all pairs of tokens would cost more than the padding.
    """
    if not device.packed or isinstance(items, Even) or not can_pack(network):
        yield False
        return
    before = network.trunk.config._attn_implementation
    for kernel in KERNELS if device.device.startswith("cuda") else (before,):
        with contextlib.suppress(Exception):  # a kernel that isn't installed, or not for this trunk or device
            network.trunk.set_attn_implementation(kernel)
            if holds(network, items, device):
                break
    else:
        network.trunk.set_attn_implementation(before)
        yield False
        return
    try:
        yield True
    finally:
        network.trunk.set_attn_implementation(before)


def can_pack(network: Any) -> bool:
    """Decoders that are told positions, without noise on embeddings and without virtual tokens in front."""
    if type(network) is not Network or network.form != "causal" or network.noise or not is_decoder(network.trunk):
        return False
    return "position_ids" in inspect.signature(network.trunk.base_model.forward).parameters


def holds(network: Any, items: Sequence[Encoded], device: DevicePlan) -> bool:
    """Whether a few rows have the same loss packed as one by one, and don't change with the row before them."""
    rows = [items[row] for row in range(min(TRIED, len(items)))]
    turned = replace(rows[0], tokens=rows[0].tokens[::-1].copy())
    with evaluating(network), threads(device), precision(device):
        together, other = (network.log_probs(packed([first, *rows[1:]], device.device))[0] for first in (rows[0], turned))
        apart = sum(float(network.loss(collate([row], 0, device.device))[0]) for row in rows)
    tolerance = TOLERANCE if device.dtype == "float32" else 100 * TOLERANCE
    same = abs(-float(together.sum()) - apart) <= tolerance * max(1.0, abs(apart))  # never of numbers that aren't any
    return same and bool(np.allclose(together[rows[0].units :], other[rows[0].units :], rtol=0, atol=ISOLATED))
