"""Scoring four labels after a 400-token prompt: one pass that branches against one pass a label."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from accordeur.training.choices import choice_log_probs
from accordeur.training.device import plan_device
from benchmarks import _data
from benchmarks._worker import Work

PREFIX = 400
LABELS = [[11], [12, 13], [14], [15, 16, 17]]


def prompts(rows: int, fixed: bool) -> list[list[int]]:
    random = np.random.default_rng(0)
    shared = random.integers(0, _data.END, PREFIX).tolist()
    own = [random.integers(0, _data.END, PREFIX).tolist() for _ in range(rows)]
    return [(shared if fixed else own[row]) + random.integers(0, _data.END, 20).tolist() for row in range(rows)]


def ours(rows: int, fixed: bool) -> Callable[[], Work]:
    model, given = _data.small_decoder().eval(), prompts(rows, fixed)
    device = plan_device("cpu", threads=torch.get_num_threads())

    def work() -> Work:
        choice_log_probs(model, given, LABELS, device, _data.END)
        return Work(units=rows)

    return work


def naive(model: torch.nn.Module, prompt: list[int], label: list[int]) -> float:
    """What anyone would write: the whole text, the whole table of logits, the label's tokens picked out of it."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt + label])).logits[0, len(prompt) - 1 : -1]
    return float(logits.log_softmax(-1)[torch.arange(len(label)), torch.tensor(label)].sum())


def peer(rows: int, fixed: bool) -> Callable[[], Work]:
    model, given = _data.small_decoder().eval(), prompts(rows, fixed)

    def work() -> Work:
        for prompt in given:
            for label in LABELS:
                naive(model, prompt, label)
        return Work(units=rows)

    return work


def gate(rows: int, fixed: bool) -> dict[str, float]:
    """Scores have no gradient: the cosine is that of the scores."""
    model, given = _data.small_decoder().eval(), prompts(min(rows, 4), fixed)
    device = plan_device("cpu", threads=torch.get_num_threads())
    found = choice_log_probs(model, given, LABELS, device, _data.END)
    expected = np.array([[naive(model, prompt, label) for label in LABELS] for prompt in given])
    cosine = float((found * expected).sum() / np.sqrt((found**2).sum() * (expected**2).sum()))
    return {"loss_difference": float(np.abs(found - expected).max() / np.abs(expected).max()), "cosine": cosine}


SIDES = {"ours": ours, "peer": peer, "gate": gate}
