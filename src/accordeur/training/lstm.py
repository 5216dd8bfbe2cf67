"""An LSTM language model (Sundermeyer et al. 2012): what stood between n-grams and transformers, trained by the same loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from accordeur.example import IGNORED
from accordeur.training.batches import Batch


@dataclass(frozen=True, kw_only=True)
class LstmShape:
    """Size of the model; the embedding is as wide as the state, and is the output matrix as well."""

    vocabulary: int
    width: int = 128
    layers: int = 2
    dropout: float = 0.0


class Lstm(nn.Module):
    """Embedding, torch's LSTM, and the embedding again as output (Press & Wolf 2017)."""

    def __init__(self, shape: LstmShape) -> None:
        nn.Module.__init__(self)
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embedding.weight, std=shape.width**-0.5)  # so that logits begin near a spread of 1
        inner = shape.dropout if shape.layers > 1 else 0.0
        self.lstm = nn.LSTM(shape.width, shape.width, shape.layers, batch_first=True, dropout=inner)
        self.bias = nn.Parameter(torch.zeros(shape.vocabulary))

    def forward(self, tokens_BT: Tensor) -> Tensor:
        """(B, T, V): logits of the token after each."""
        hidden_BTH, _ = self.lstm(self.embedding(tokens_BT))
        return F.linear(hidden_BTH, self.embedding.weight, self.bias)


class LstmNetwork(nn.Module):
    """The model as the training loop wants it; the same for the same seed."""

    def __init__(self, shape: LstmShape, seed: int = 0) -> None:
        nn.Module.__init__(self)
        self.shape = shape
        self.noise = 0.0  # the loop sets both; neither applies here
        self.z_loss = 0.0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.trunk = Lstm(shape)

    def logits(self, tokens_BT: Tensor) -> Tensor:
        """(B, T, V): of the token after each, float32 or wider."""
        logits: Tensor = self.trunk(tokens_BT)
        return logits.to(torch.promote_types(logits.dtype, torch.float32))

    def loss(self, batch: Batch, smoothing: float = 0.0) -> tuple[Tensor, int]:
        """Sum of the losses over the targets, and how many there are."""
        assert batch.targets is not None
        logits, targets = self.logits(batch.tokens_BT).flatten(0, 1), batch.targets.flatten()
        loss = F.cross_entropy(logits, targets, reduction="sum", ignore_index=IGNORED, label_smoothing=smoothing)
        return loss, int((targets != IGNORED).sum())

    @torch.no_grad()
    def log_probs(self, batch: Batch) -> list[npt.NDArray[np.float32]]:
        """One array per row: the log-probability of each target."""
        assert batch.targets is not None
        losses_BT = F.cross_entropy(self.logits(batch.tokens_BT).transpose(1, 2), batch.targets, reduction="none")
        asked_BT = batch.targets != IGNORED
        return [-row[asked].float().numpy(force=True) for row, asked in zip(losses_BT, asked_BT, strict=True)]
