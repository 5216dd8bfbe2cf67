"""Contrastive pairs: texts of one label are drawn together, texts of different labels apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from accordeur.example import Encoded
from accordeur.training.batches import Batch
from accordeur.training.pooling import pool

SEGMENTS = 2  # of one text: those of the second text of a pair are counted on from here


def pairs(items: Sequence[Encoded], per_row: int, seed: int) -> list[Encoded]:
    """For every row `per_row` partners of its own label and as many of others, where there are any, drawn by the seed.

    A pair is one item: both texts end to end, told apart by their segments, with target 1 (same label) or 0.
    """
    random = np.random.default_rng([seed, 0xC0])
    labels = np.asarray([item.target for item in items])
    rows = {label: np.flatnonzero(labels == label) for label in np.unique(labels)}
    found: list[Encoded] = []
    for place, item in enumerate(items):
        own = rows[labels[place]]
        same, other = own[own != place], np.flatnonzero(labels != labels[place])
        for candidates, target in ((same, 1.0), (other, 0.0)):
            if len(candidates):
                drawn = random.choice(candidates, min(per_row, len(candidates)), replace=False)
                found += [pair(item, items[int(partner)], target, len(found)) for partner in drawn]
    return found


def pair(one: Encoded, two: Encoded, target: float, row: int) -> Encoded:
    """Two items as one."""
    first, second = (np.zeros_like(item.tokens) if item.segments is None else item.segments for item in (one, two))
    return Encoded(
        tokens=np.concatenate([one.tokens, two.tokens]),
        segments=np.concatenate([first, second + SEGMENTS]).astype(np.int32),
        target=target,
        row=row,
    )


class Pairs(nn.Module):
    """A network whose loss is (cos(u, v) - target)², u and v the pooled vectors of a pair (Tunstall et al. 2022)."""

    def __init__(self, network: Any) -> None:
        nn.Module.__init__(self)
        self.network = network
        self.noise = 0.0  # set by the training loop; pairs are trained without
        self.z_loss = 0.0

    @property
    def trunk(self) -> Any:
        """What moves."""
        return self.network.trunk

    def loss(self, batch: Batch, smoothing: float = 0.0) -> tuple[Tensor, int]:
        """Summed over the pairs, and how many there are."""
        assert batch.segments_BT is not None and batch.targets is not None
        places = torch.arange(batch.tokens_BT.shape[1], device=batch.tokens_BT.device)[None]
        seconds = (batch.segments_BT >= SEGMENTS) & (places < batch.lengths_B[:, None])
        firsts = (batch.segments_BT < SEGMENTS) & (places < batch.lengths_B[:, None])
        one, two = (self.vectors(batch, part) for part in (firsts, seconds))
        wrong_B = F.cosine_similarity(one, two) - batch.targets.to(one.dtype)
        return wrong_B.square().sum(), len(wrong_B)

    def vectors(self, batch: Batch, part_BT: Tensor) -> Tensor:
        """(B, H) of the chosen tokens of every row, which stand next to each other."""
        lengths_B = part_BT.sum(1)
        first_B = part_BT.int().argmax(1)
        width = int(lengths_B.max())
        places = torch.arange(width, device=lengths_B.device)[None]
        taken_BT = (first_B[:, None] + places).clamp(max=batch.tokens_BT.shape[1] - 1)
        assert batch.segments_BT is not None
        own = Batch(
            tokens_BT=batch.tokens_BT.gather(1, taken_BT),
            lengths_B=lengths_B,
            mask_BT=places < lengths_B[:, None],
            segments_BT=batch.segments_BT.gather(1, taken_BT) % SEGMENTS,
            targets=None,
            real_tokens=int(lengths_B.sum()),
        )
        return pool(self.network.hidden(own), lengths_B, self.network.pooling)
