"""The random states of Python, numpy and torch: kept, seeded, saved and restored."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor


def capture() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and JSON-ready data that hold every random state of the process."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    tensors = {"torch": torch.get_rng_state(), "numpy": torch.from_numpy(np.asarray(keys).astype(np.int64))}
    if torch.cuda.is_available():
        tensors |= {f"cuda.{place}": state for place, state in enumerate(torch.cuda.get_rng_state_all())}
    version, internal, gauss_next = random.getstate()
    plain = {
        "numpy": [name, int(position), int(has_gauss), float(gauss)],
        "python": [version, list(internal), gauss_next],
    }
    return tensors, plain


def restore(tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
    """Sets every random state to what `capture` gave."""
    name, position, has_gauss, gauss = plain["numpy"]
    np.random.set_state((name, tensors["numpy"].numpy().astype(np.uint32), position, has_gauss, gauss))
    version, internal, gauss_next = plain["python"]
    random.setstate((version, tuple(internal), gauss_next))
    torch.set_rng_state(tensors["torch"].clone())
    cuda = [tensors[key].clone() for key in sorted(tensors) if key.startswith("cuda.")]
    if cuda and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(cuda)


def seed_all(seed: int) -> None:
    """Seeds Python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Whatever happens inside, the random states are afterwards what they were."""
    state = capture()
    try:
        yield
    finally:
        restore(*state)
