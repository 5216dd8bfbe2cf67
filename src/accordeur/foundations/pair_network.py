"""BERT's two objectives at once: masked tokens and the next sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from accordeur.example import IGNORED
from accordeur.foundations.rows import with_labels
from accordeur.training.batches import Batch


class PairNetwork(nn.Module):
    """A BertForPreTraining as the training loop wants it: mean loss of the masked tokens + mean loss of the pairs."""

    def __init__(self, trunk: Any) -> None:
        nn.Module.__init__(self)
        self.trunk: Any = trunk
        self.noise = 0.0  # the loop sets both; neither applies here
        self.z_loss = 0.0

    def asked(self, batch: Batch) -> Any:
        """The trunk's output: prediction_logits (B, T, V) and seq_relationship_logits (B, 2)."""
        return self.trunk(input_ids=batch.tokens_BT, attention_mask=batch.mask_BT, token_type_ids=batch.segments_BT)

    def loss(self, batch: Batch, smoothing: float = 0.0) -> tuple[Tensor, int]:
        """The sum of both means times the number of units, as the loop divides by it."""
        targets_BT, labels_B = with_labels(batch.targets)
        units = int((targets_BT != IGNORED).sum()) + len(labels_B)
        output = self.asked(batch)
        tokens = F.cross_entropy(output.prediction_logits.flatten(0, 1), targets_BT.flatten(), label_smoothing=smoothing)
        pairs = F.cross_entropy(output.seq_relationship_logits, labels_B)
        return (tokens + pairs) * units, units

    @torch.no_grad()
    def log_probs(self, batch: Batch) -> list[npt.NDArray[np.float32]]:
        """Of the masked tokens of held-out rows, which hold no pair: one array per row."""
        assert batch.targets is not None
        asked_BT = batch.targets != IGNORED
        flat = -F.cross_entropy(self.asked(batch).prediction_logits[asked_BT], batch.targets[asked_BT], reduction="none")
        return [part.float().numpy(force=True) for part in torch.split(flat, asked_BT.sum(1).tolist())]
