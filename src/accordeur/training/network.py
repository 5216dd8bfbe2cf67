"""A pretrained trunk and a head as one module: a loss, answers and log-probabilities for every form of problem."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from accordeur.errors import NotApplicable
from accordeur.example import IGNORED, Form
from accordeur.training.batches import Batch
from accordeur.training.elementwise import fuse_gelu
from accordeur.training.pooling import POOLINGS, pool
from accordeur.training.vocabulary import LossTerms, VocabularyHead, find_head, label_log_probs, logit_tiles, loss_sum

Array = npt.NDArray[np.float32]
VOCABULARY_FORMS = ("causal", "seq2seq", "masked")
HEAD_STD = 0.02


class Network(nn.Module):
    """A trunk (a transformers model) and, for label, score, tokens and span, a linear head.

    causal, seq2seq and masked use the trunk's own vocabulary head, only at labelled positions.
    outputs: number of labels or tags; score has 1 and span 2 by definition.
    """

    def __init__(
        self, trunk: Any, form: Form, *, outputs: int = 0, pooling: str = "mean", dropout: float = 0.1, seed: int = 0
    ) -> None:
        nn.Module.__init__(self)
        if pooling not in POOLINGS:
            raise ValueError(f"pooling {pooling!r}: expected one of {', '.join(POOLINGS)}")
        fuse_gelu(trunk)
        self.trunk: Any = trunk
        self.form: Form = form
        self.pooling = pooling
        self.seed = seed
        self.noise = 0.0  # NEFTune alpha, set by the training loop while it runs
        self.z_loss = 0.0  # set by the training loop while it runs
        self.narrow_head: Tensor | None = None  # the vocabulary in training's dtype, set by the training loop while it runs
        self.dropout = nn.Dropout(dropout)
        self.head: nn.Linear | None = None
        self.outputs = 0
        if form not in VOCABULARY_FORMS:
            self.outputs = {"score": 1, "span": 2}.get(form, outputs)
            self.head = new_head(trunk, self.outputs, seed)
            drop_pooler(trunk)
        self.eval()  # only the training loop turns dropout on
        self.tiled = form in VOCABULARY_FORMS and head_is_plain(trunk)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = next(self.parameters()).device
        return device

    def forward(self, batch: Batch, smoothing: float = 0.0) -> tuple[Tensor, int]:
        """The same as `loss`."""
        return self.loss(batch, smoothing)

    @property
    def reads_segments(self) -> bool:
        """Whether the trunk tells a second text by its segment. GPT-2 takes segments too, but as words of its vocabulary."""
        return not is_decoder(self.trunk) and "token_type_ids" in inspect.signature(self.trunk.base_model.forward).parameters

    def loss(self, batch: Batch, smoothing: float = 0.0) -> tuple[Tensor, int]:
        """Sum of the losses over labelled units, and how many units there are. Label smoothing only if asked."""
        if batch.targets is None:
            raise ValueError("a row without a target can't be trained on")
        if self.form in VOCABULARY_FORMS:
            return self.vocabulary_loss(batch, smoothing)
        logits = self.logits(batch)
        if self.form == "score":
            return (logits - batch.targets.to(logits.dtype)).square().sum(), len(logits)
        flat, targets = self.classified(logits, batch.targets)
        units = int((targets != IGNORED).sum())
        if self.form == "span" and smoothing:
            return smoothed_choice(flat, targets, batch.lengths_B, smoothing), units
        return F.cross_entropy(flat, targets, reduction="sum", ignore_index=IGNORED, label_smoothing=smoothing), units

    def vocabulary_loss(self, batch: Batch, smoothing: float) -> tuple[Tensor, int]:
        """The loss of a language-model head, at labelled positions only."""
        hidden_NH, targets_N, head = self.labelled(batch)
        terms = LossTerms(smoothing=smoothing, z_loss=self.z_loss if self.training else 0.0)
        return loss_sum(head, hidden_NH, targets_N, terms), len(targets_N)

    def labelled(self, batch: Batch) -> tuple[Tensor, Tensor, VocabularyHead]:
        """Hidden states (N, H) and targets (N,) where something is asked, and the head that scores them.

        A head that isn't a plain matrix is run by the trunk itself: then the "hidden states" are logits, the head an identity.
        """
        assert batch.targets is not None
        asked_BU = batch.targets != IGNORED
        places = None if bool(asked_BU.all()) else asked_BU
        targets_N = at(batch.targets, places)
        head = find_head(self.trunk) if self.tiled else None
        if head is not None:
            head = head if self.narrow_head is None else replace(head, weight_VH=self.narrow_head)
            return at(self.hidden(batch), places), targets_N, head
        logits_NV = at(self.trunk(**self.inputs(batch)).logits, places).float()
        return logits_NV, targets_N, VocabularyHead(weight_VH=torch.eye(logits_NV.shape[1], device=logits_NV.device))

    def logits(self, batch: Batch) -> Tensor:
        """label: (B, outputs)  score: (B,)  tokens: (B, T, outputs)  span: (B, T, 2), float32 or wider."""
        assert self.head is not None
        hidden_BTH = self.hidden(batch)
        hidden = pool(hidden_BTH, batch.lengths_B, self.pooling) if self.form in ("label", "score") else hidden_BTH
        logits = self.head(self.dropout(hidden.to(self.head.weight.dtype)))
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        if self.form == "span" and batch.mask_BT is not None:
            logits = logits.masked_fill(~batch.mask_BT[..., None], torch.finfo(logits.dtype).min)
        scores: Tensor = logits[..., 0] if self.form == "score" else logits
        return scores

    def classified(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Logits as (N, classes) with their targets (N,): a span is two choices among T tokens."""
        if self.form == "span":
            return logits.transpose(1, 2).flatten(0, 1), targets.flatten()
        return logits.flatten(0, -2), targets.flatten()

    def hidden(self, batch: Batch) -> Tensor:
        """Last hidden states, (B, T, H); of the decoder, (B, U, H), for seq2seq."""
        return last_hidden(self.trunk, self.inputs(batch))

    def inputs(self, batch: Batch) -> dict[str, Any]:
        """The arguments of the trunk. A causal trunk needs no mask: padding stands to the right of every real token."""
        inputs: dict[str, Any] = {"input_ids": batch.tokens_BT}
        if batch.mask_BT is not None and not is_decoder(self.trunk):
            inputs["attention_mask"] = batch.mask_BT
        if batch.segments_BT is not None and self.reads_segments:
            inputs["token_type_ids"] = batch.segments_BT
        if batch.positions_BT is not None:
            inputs["position_ids"] = batch.positions_BT
        if self.noise and self.training:
            inputs["inputs_embeds"] = noisy(self.trunk.get_input_embeddings()(inputs.pop("input_ids")), batch, self.noise)
        if self.form == "seq2seq":
            assert batch.targets is not None
            inputs["decoder_input_ids"] = shifted(batch.targets, self.trunk.config)
        if is_decoder(self.trunk) or self.form == "seq2seq":
            inputs["use_cache"] = False
        return inputs

    @torch.no_grad()
    def answers(self, batch: Batch) -> list[Array]:
        """One float32 array per row: label (outputs,), tokens (T, outputs), span (T, 2), score (), without the padding."""
        if self.head is None:
            raise NotApplicable(f"a network of form {self.form} has no head of its own: it answers by generating")
        table = self.logits(batch).float().cpu().numpy()
        if self.form in ("label", "score"):
            return [np.asarray(row, dtype=np.float32) for row in table]
        return [row[:length] for row, length in zip(table, batch.lengths_B.tolist(), strict=True)]

    @torch.no_grad()
    def log_probs(self, batch: Batch) -> list[Array]:
        """One float32 array per row: the log-probability of each labelled unit, never smoothed.

        score: of the expected value under a normal distribution of variance 1 around the answer.
        """
        if batch.targets is None:
            raise ValueError("a row without a target has no log-probability")
        if self.form in VOCABULARY_FORMS:
            hidden_NH, targets_N, head = self.labelled(batch)
            flat = label_log_probs(head, hidden_NH, targets_N)
            counts = (batch.targets != IGNORED).sum(1).tolist()
        elif self.form == "score":
            flat = -0.5 * (self.logits(batch) - batch.targets).square() - 0.5 * math.log(2 * math.pi)
            counts = [1] * len(flat)
        else:
            logits, targets = self.classified(self.logits(batch), batch.targets)
            asked = targets != IGNORED
            flat = -F.cross_entropy(logits[asked], targets[asked], reduction="none")
            counts = (batch.targets != IGNORED).reshape(len(batch.targets), -1).sum(1).tolist()
        return [part.float().cpu().numpy() for part in torch.split(flat, counts)]


def at(values_BU: Tensor, asked_BU: Tensor | None) -> Tensor:
    """(N, ...): the values where something is asked. None: everywhere, which spares the gradient a scatter, as that is serial."""
    return values_BU.flatten(0, 1) if asked_BU is None else values_BU[asked_BU]


def smoothed_choice(logits_NT: Tensor, targets_N: Tensor, lengths_B: Tensor, smoothing: float) -> Tensor:
    """Label-smoothed cross-entropy of starts and ends (N = 2B), summed: the smoothing is spread over the real places of a row."""
    lengths_N = lengths_B.to(logits_NT.device).repeat_interleave(2)
    real_NT = torch.arange(logits_NT.shape[1], device=logits_NT.device) < lengths_N[:, None]
    log_probs_NT = logits_NT.log_softmax(1).masked_fill(~real_NT, 0.0)
    plain = F.nll_loss(log_probs_NT, targets_N, reduction="sum", ignore_index=IGNORED)
    evenly_N = -log_probs_NT.sum(1) / lengths_N
    return (1 - smoothing) * plain + smoothing * evenly_N[targets_N != IGNORED].sum()


def new_head(trunk: Any, outputs: int, seed: int) -> nn.Linear:
    """A linear head, normal(0, 0.02), the same for the same seed whatever ran before."""
    if outputs < 1:
        raise ValueError(f"outputs = {outputs}: a head needs at least one")
    weight = next(trunk.parameters())
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        head = nn.Linear(trunk.config.hidden_size, outputs)
        head.weight.normal_(0.0, HEAD_STD, generator=generator)
        head.bias.zero_()
    dtype = weight.dtype if weight.dtype in (torch.float32, torch.float64) else torch.float32
    return head.to(device=weight.device, dtype=dtype)


def drop_pooler(trunk: Any) -> None:
    """Takes away the tanh pooler of encoders: no form reads it, so it would be computed and counted for nothing."""
    if isinstance(getattr(trunk.base_model, "pooler", None), nn.Module):
        trunk.base_model.pooler = None


def is_encoder_decoder(trunk: Any) -> bool:
    """Whether the trunk has an encoder and a decoder."""
    return bool(trunk.config.is_encoder_decoder)


def is_decoder(trunk: Any) -> bool:
    """Whether every token only sees those before it: a family with a causal and without a masked language model."""
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING

    kind = type(trunk.config)
    return not is_encoder_decoder(trunk) and kind in MODEL_FOR_CAUSAL_LM_MAPPING and kind not in MODEL_FOR_MASKED_LM_MAPPING


def shifted(targets_BU: Tensor, config: Any) -> Tensor:
    """Decoder inputs: the start token, then the answer without its last token, padding where nothing is asked."""
    start = config.decoder_start_token_id if config.decoder_start_token_id is not None else config.pad_token_id
    inputs = targets_BU.new_full(targets_BU.shape, start)
    inputs[:, 1:] = targets_BU[:, :-1]
    return inputs.masked_fill(inputs == IGNORED, config.pad_token_id)


def noisy(embedded_BTH: Tensor, batch: Batch, alpha: float) -> Tensor:
    """NEFTune (Jain et al. 2023): uniform noise of size alpha / √(L·H), L the real length of the row."""
    size_B = alpha / (batch.lengths_B.to(embedded_BTH.dtype) * embedded_BTH.shape[-1]).sqrt()
    return embedded_BTH + (torch.rand_like(embedded_BTH) * 2 - 1) * size_B[:, None, None]


def last_hidden(trunk: Any, inputs: dict[str, Any]) -> Tensor:
    """What the trunk ends in below its vocabulary head. An encoder-decoder without decoder inputs is its encoder alone."""
    hidden: Tensor
    if not is_encoder_decoder(trunk):
        hidden = trunk.base_model(**inputs).last_hidden_state
        return hidden
    read = {name: value for name, value in inputs.items() if name not in ("decoder_input_ids", "use_cache")}
    hidden = trunk.get_encoder()(**read).last_hidden_state
    if "decoder_input_ids" not in inputs:
        return hidden
    hidden = (
        trunk.get_decoder()(
            input_ids=inputs["decoder_input_ids"],
            encoder_hidden_states=hidden,
            encoder_attention_mask=inputs.get("attention_mask"),
            use_cache=False,
        )
    ).last_hidden_state
    return hidden


@torch.no_grad()
def head_is_plain(trunk: Any) -> bool:
    """Whether hidden states times the found head give the trunk's own logits, tried on three tokens in evaluation mode."""
    head = find_head(trunk)
    if head is None:
        return False
    tokens = torch.tensor([[1, 2, 3]], device=next(trunk.parameters()).device)
    inputs = {"input_ids": tokens}
    if is_encoder_decoder(trunk):
        inputs["decoder_input_ids"] = tokens
    expected = trunk(**inputs).logits[0].float()
    prepared = head.prepared(last_hidden(trunk, inputs)[0])
    found = torch.cat([logits for logits, _ in logit_tiles(head, prepared)]).float()
    tolerance = 1e-4 if expected.dtype == torch.float32 else 1e-2
    return bool(torch.allclose(found, expected, rtol=tolerance, atol=tolerance * float(expected.abs().max())))
