"""One vector per row from a frozen trunk, computed once and, where wanted, read back from disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from accordeur.example import Encoded
from accordeur.plan import DevicePlan
from accordeur.store import digest
from accordeur.training.batches import by_length, collate
from accordeur.training.device import scoring_precision, threads
from accordeur.training.network import Network
from accordeur.training.pooling import pool
from accordeur.training.scoring import evaluating
from accordeur.training.tokens import data_digest

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class FeatureCache:
    """Where features are kept. `base` is the fingerprint of the weights they come from."""

    folder: Path
    base: str

    def path(self, items: Sequence[Encoded], pooling: str, dtype: str) -> Path:
        """The file of these rows."""
        return self.folder / f"{digest(' '.join([self.base, pooling, dtype, data_digest(items)]).encode())[:32]}.npy"


def encode(
    trunk: Any, items: Sequence[Encoded], pooling: str, device: DevicePlan, pad: int, cache: FeatureCache | None = None
) -> Array:
    """(rows, width) float32: the pooled last hidden states, in the order of the rows.

    With a cache the array is a read-only memory map of a file that is whole or not there.
    """
    if cache is None:
        return compute(trunk, items, pooling, device, pad)
    path = cache.path(items, pooling, device.scoring_dtype)
    if not path.is_file():
        store(path, compute(trunk, items, pooling, device, pad))
    kept: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return kept


def compute(trunk: Any, items: Sequence[Encoded], pooling: str, device: DevicePlan, pad: int) -> Array:
    """Rows of like length together, so that next to nothing is spent on padding."""
    network = Network(trunk, "label", outputs=1, pooling=pooling)
    table = np.empty((len(items), int(trunk.config.hidden_size)), dtype=np.float32)
    with evaluating(network), threads(device), torch.inference_mode(), scoring_precision(device):
        network.to(device.device)
        for rows in by_length(items, device.micro_tokens):
            batch = collate([items[row] for row in rows], pad, device.device)
            table[rows] = pool(network.hidden(batch), batch.lengths_B, pooling).float().cpu().numpy()
    return table


def store(path: Path, table: Array) -> None:
    """Writes an array atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    neighbour = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        with neighbour.open("wb") as stream:
            np.save(stream, table, allow_pickle=False)
            stream.flush()
            os.fsync(stream.fileno())
        neighbour.replace(path)
    finally:
        neighbour.unlink(missing_ok=True)
