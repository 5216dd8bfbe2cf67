"""Answers and log-probabilities of many rows: batched by length, in evaluation mode, in the original order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from accordeur.example import Encoded
from accordeur.plan import DevicePlan
from accordeur.training.batches import Batch, by_length, collate
from accordeur.training.device import scoring_precision, threads

Array = npt.NDArray[np.float32]


def answers(network: Any, items: Sequence[Encoded], device: DevicePlan, pad: int) -> list[Array]:
    """One float32 array per row, as `Network.answers` gives them, without gradients and dropout."""
    return in_batches(network, items, device, pad, network.answers)


def log_probs(network: Any, items: Sequence[Encoded], device: DevicePlan, pad: int) -> list[Array]:
    """One float32 array per row: the log-probability of each labelled unit, never smoothed."""
    return in_batches(network, items, device, pad, network.log_probs)


def in_batches(
    network: nn.Module, items: Sequence[Encoded], device: DevicePlan, pad: int, ask: Callable[[Batch], list[Array]]
) -> list[Array]:
    """Asks batch by batch, rows of like length together, and puts the results back into the order of the rows."""
    results: list[Array] = [np.zeros(0, dtype=np.float32)] * len(items)
    with evaluating(network), threads(device), scoring_precision(device):
        network.to(device.device)
        for rows in by_length(items, device.micro_tokens):
            batch = collate([items[row] for row in rows], pad, device.device)
            for row, result in zip(rows, ask(batch), strict=True):
                results[row] = result
    return results


@contextlib.contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode and no gradients, then the former mode."""
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(training)
