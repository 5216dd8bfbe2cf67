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
    """A BertForPreTraining as the training loop wants it: mean loss of the masked tokens + mean loss of the pairs, of a step."""

    def __init__(self, trunk: Any) -> None:
        nn.Module.__init__(self)
        self.trunk: Any = trunk
        self.noise = 0.0  # the loop sets both; neither applies here
        self.z_loss = 0.0
        self.whole: tuple[int, int] | None = None  # units and rows of the step that a batch is a part of, set by the loop

    def hidden(self, batch: Batch) -> Any:
        """What BERT itself puts out: last_hidden_state (B, T, H) and pooler_output (B, H)."""
        return self.trunk.bert(input_ids=batch.tokens_BT, attention_mask=batch.mask_BT, token_type_ids=batch.segments_BT)

    def losses(self, hidden_BTH: Tensor, targets_BT: Tensor, smoothing: float = 0.0) -> Tensor:
        """(N,) of the masked tokens; the vocabulary is scored where one is asked, and nowhere else."""
        asked_BT = targets_BT != IGNORED
        logits_NV = self.trunk.cls.predictions(hidden_BTH[asked_BT]).float()
        return F.cross_entropy(logits_NV, targets_BT[asked_BT], reduction="none", label_smoothing=smoothing)

    def loss(self, batch: Batch, smoothing: float = 0.0) -> tuple[Tensor, int]:
        """This batch's part of both means over the step, times the step's units, by which the loop divides.

        So a step is the same however it is cut into passes. A batch on its own is a whole step.
        """
        targets_BT, labels_B = with_labels(batch.targets)
        units = int((targets_BT != IGNORED).sum()) + len(labels_B)
        all_units, rows = self.whole or (units, len(labels_B))
        output = self.hidden(batch)
        tokens = self.losses(output.last_hidden_state, targets_BT, smoothing).sum()
        logits_B2 = self.trunk.cls.seq_relationship(output.pooler_output).float()
        pairs = F.cross_entropy(logits_B2, labels_B, reduction="sum")
        return tokens * (all_units / (all_units - rows)) + pairs * (all_units / rows), units

    @torch.no_grad()
    def log_probs(self, batch: Batch) -> list[npt.NDArray[np.float32]]:
        """Of the masked tokens of held-out rows, which hold no pair: one array per row."""
        assert batch.targets is not None
        counts = (batch.targets != IGNORED).sum(1).tolist()
        flat = -self.losses(self.hidden(batch).last_hidden_state, batch.targets)
        return [part.float().numpy(force=True) for part in torch.split(flat, counts)]
