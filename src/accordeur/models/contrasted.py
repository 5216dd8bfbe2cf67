"""Training by contrast (SetFit): the trunk learns from pairs, the head is a logistic regression on what it then puts out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from accordeur.errors import NotApplicable
from accordeur.example import Encoded
from accordeur.models.bag import full_logits
from accordeur.models.fit import Objective
from accordeur.models.headed import spread
from accordeur.models.moved import Moved
from accordeur.task import Task
from accordeur.training.contrast import Pairs, pairs
from accordeur.training.features import encode

HEAD_ROWS = 2000  # train rows that the head is fitted on, at most


def contrastive(task: Task, per_row: int, c: float, seed: int) -> Objective:
    """Pairs of the train rows in place of the task's own loss; the head is fitted anew before every validation."""

    def rows(items: Sequence[Encoded]) -> Sequence[Encoded]:
        found = pairs(items, per_row, seed)
        if not any(item.target == 0.0 for item in found):
            raise NotApplicable("contrast needs train rows of at least two labels")
        return found

    def settle(model: Moved) -> None:
        fit_head(model, task, c, seed)

    return Objective(rows=rows, around=Pairs, settle=settle)


def fit_head(model: Moved, task: Task, c: float, seed: int) -> None:
    """Multinomial logistic regression on the trunk's pooled vectors, written into the network's head."""
    network = model.network
    chosen = np.sort(np.random.default_rng(seed).permutation(len(task.train))[:HEAD_ROWS])
    items = [item for item in model.items([task.train[place] for place in chosen]) if item.units]
    vectors = encode(network.trunk, items, network.pooling, model.device, model.codec.pad)
    size = float(np.linalg.norm(vectors, axis=1).mean())  # the penalty means the same whatever the length of vectors
    fitted = LogisticRegression(C=c, max_iter=1000).fit(vectors / size, [int(item.target) for item in items])  # type: ignore[arg-type]
    weights_WC, bias_C = spread(full_logits(fitted), fitted.classes_, len(task.labels))
    assert network.head is not None
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(weights_WC.T / size))
        network.head.bias.copy_(torch.from_numpy(bias_C))
