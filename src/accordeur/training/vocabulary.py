"""The vocabulary head scored only at labelled positions, in tiles: never a full table of logits in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

TILE_BYTES = 32 * 2**20  # of logits alive at once on a CPU; an accelerator takes eight times as much
MOVING_TILES = (
    4  # tiles are so much larger where the vocabulary moves: its gradient is as large as the tile, and added to each time
)


@dataclass(frozen=True, kw_only=True, eq=False)
class VocabularyHead:
    """logits = cap(scale · (transform(hidden) Wᵀ + b))."""

    weight_VH: Tensor
    bias_V: Tensor | None = None
    scale: float = 1.0
    softcap: float | None = None
    transform: Callable[[Tensor], Tensor] | None = None

    def prepared(self, hidden_NH: Tensor) -> Tensor:
        """What is multiplied with the vocabulary."""
        return hidden_NH if self.transform is None else self.transform(hidden_NH)


@dataclass(frozen=True, kw_only=True)
class LossTerms:
    """What is added to the plain cross entropy; nothing in evaluation."""

    smoothing: float = 0.0
    z_loss: float = 0.0


def find_head(trunk: Any) -> VocabularyHead | None:
    """The vocabulary head of a language model as a matrix, or None where it isn't a plain linear layer."""
    output = trunk.get_output_embeddings()
    if type(output) is not nn.Linear:
        return None
    settings = trunk.config.get_text_config().to_dict()
    scale = float(settings.get("logit_scale") or 1.0) / float(settings.get("logits_scaling") or 1.0)
    if settings.get("model_type") in T5_KIN and settings.get("scale_decoder_outputs"):
        scale *= float(settings["d_model"]) ** -0.5
    bias = output.bias
    extra = getattr(trunk, "final_logits_bias", None)
    if extra is not None:
        bias = extra[0] if bias is None else bias + extra[0]
    return VocabularyHead(
        weight_VH=output.weight,
        bias_V=bias,
        scale=scale,
        softcap=settings.get("final_logit_softcapping"),
        transform=masked_transform(trunk),
    )


T5_KIN = ("t5", "mt5", "umt5", "longt5")


def masked_transform(trunk: Any) -> Callable[[Tensor], Tensor] | None:
    """What masked language models do between the trunk and the vocabulary, by family."""
    match trunk.config.model_type if "MaskedLM" in type(trunk).__name__ or "PreTraining" in type(trunk).__name__ else "":
        case "bert" | "nomic_bert" | "deberta-v2":
            transform: Callable[[Tensor], Tensor] = trunk.cls.predictions.transform
            return transform
        case "roberta" | "xlm-roberta" | "camembert":
            head = trunk.lm_head
            return lambda hidden: head.layer_norm(F.gelu(head.dense(hidden)))
        case "distilbert":
            return lambda hidden: trunk.vocab_layer_norm(trunk.activation(trunk.vocab_transform(hidden)))
        case "electra":
            head = trunk.generator_predictions
            return lambda hidden: head(hidden)
        case "modernbert":
            head = trunk.head
            return lambda hidden: head(hidden)
        case _:
            return None


def loss_sum(head: VocabularyHead, hidden_NH: Tensor, targets_N: Tensor, terms: LossTerms) -> Tensor:
    """Sum over N positions of (1-ε)·nll + ε·mean(-log p) + z·log²Z. The gradient is taken in the forward pass, tile by tile."""
    prepared_NH = head.prepared(hidden_NH)
    if not torch.is_grad_enabled():
        total = hidden_NH.new_zeros((), dtype=torch.promote_types(hidden_NH.dtype, torch.float32))
        for logits_nV, part in logit_tiles(head, prepared_NH):
            total += tile_loss(logits_nV, targets_N[part], terms)[0]
        return total
    result: Tensor = TiledLoss.apply(prepared_NH, head.weight_VH, head.bias_V, targets_N, head, terms)  # type: ignore[no-untyped-call]
    return result


def label_log_probs(head: VocabularyHead, hidden_NH: Tensor, targets_N: Tensor) -> Tensor:
    """(N,) log-probability of each target, float32."""
    parts = []
    for logits_nV, part in logit_tiles(head, head.prepared(hidden_NH)):
        picked = logits_nV.gather(1, targets_N[part, None])[:, 0]
        parts.append((picked - log_norm(logits_nV)[0]).float())
    return torch.cat(parts) if parts else hidden_NH.new_zeros(0, dtype=torch.float32)


def logit_tiles(head: VocabularyHead, prepared_NH: Tensor) -> Iterator[tuple[Tensor, slice]]:
    """Logits of a few positions at a time, at least float32."""
    weight, bias, inputs = in_compute_dtype(head, prepared_NH)
    for part in tiles(len(inputs), len(weight), inputs.device):
        yield cap(head, linear(inputs[part], weight, bias, head.scale)), part


def in_compute_dtype(head: VocabularyHead, prepared_NH: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
    """Weight, bias and inputs in the dtype of the matrix product: cast once, not once per tile."""
    kind = prepared_NH.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else head.weight_VH.dtype
    bias = None if head.bias_V is None else head.bias_V.to(dtype)
    return head.weight_VH.to(dtype), bias, prepared_NH.to(dtype)


def linear(inputs_nH: Tensor, weight_VH: Tensor, bias_V: Tensor | None, scale: float) -> Tensor:
    """scale · (x Wᵀ + b) in at least float32."""
    logits = F.linear(inputs_nH, weight_VH, bias_V)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return logits if scale == 1.0 else logits.mul_(scale)


def cap(head: VocabularyHead, logits_nV: Tensor) -> Tensor:
    """Soft capping c·tanh(x / c) where the model has it."""
    return logits_nV if head.softcap is None else logits_nV.div_(head.softcap).tanh_().mul_(head.softcap)


def tiles(rows: int, vocabulary: int, device: torch.device, larger: int = 1) -> Iterator[slice]:
    """Even slices of the positions, so that no last tile is tiny."""
    room = TILE_BYTES * larger * (1 if device.type == "cpu" else 8)
    count = max(1, -(-rows * vocabulary * 4 // room)) if rows else 0
    size = -(-rows // count) if rows else 1
    yield from (slice(start, start + size) for start in range(0, rows, size))


def log_norm(logits_nV: Tensor) -> tuple[Tensor, Tensor]:
    """log Z, (n,), and the softmax it follows from: max - log max softmax, two passes fewer than logsumexp and as exact."""
    soft_nV = torch.softmax(logits_nV, 1)
    return logits_nV.amax(1) - soft_nV.amax(1).log(), soft_nV


def tile_loss(logits_nV: Tensor, targets_n: Tensor, terms: LossTerms) -> tuple[Tensor, Tensor, Tensor]:
    """The summed loss of a tile, its log Z, (n,), and its softmax."""
    norm_n, soft_nV = log_norm(logits_nV)
    picked_n = logits_nV.gather(1, targets_n[:, None])[:, 0]
    loss = (norm_n - (1 - terms.smoothing) * picked_n).sum()
    if terms.smoothing:
        loss = loss - terms.smoothing * logits_nV.mean(1).sum()
    if terms.z_loss:
        loss = loss + terms.z_loss * norm_n.square().sum()
    return loss, norm_n, soft_nV


def tile_gradient(soft_nV: Tensor, norm_n: Tensor, targets_n: Tensor, terms: LossTerms) -> Tensor:
    """d loss / d logits, written over the softmax: (1 + 2z·log Z)·softmax - (1-ε)·onehot - ε/V."""
    gradient = soft_nV
    if terms.z_loss:
        gradient.mul_(1 + 2 * terms.z_loss * norm_n[:, None])
    hit = torch.full_like(targets_n, 1, dtype=gradient.dtype)[:, None] * (terms.smoothing - 1)
    gradient.scatter_add_(1, targets_n[:, None], hit)
    return gradient.sub_(terms.smoothing / gradient.shape[1]) if terms.smoothing else gradient


class TiledLoss(torch.autograd.Function):
    """Loss and gradient of a tile while its logits are at hand; the backward pass only multiplies by the upstream factor."""

    @staticmethod
    def forward(ctx: Any, inputs_NH: Tensor, weight_VH: Tensor, bias_V: Tensor | None, *rest: Any) -> Tensor:
        """Rest: targets (N,), the head (its scale and cap), the loss terms."""
        targets_N, head, terms = rest
        weight, bias, inputs = in_compute_dtype(head, inputs_NH)
        wants_inputs, wants_weight, wants_bias = ctx.needs_input_grad[:3]
        wide = torch.promote_types(inputs.dtype, torch.float32)
        total = inputs.new_zeros((), dtype=wide)
        grad_inputs = torch.empty_like(inputs) if wants_inputs else None
        grad_weight = torch.zeros_like(weight, dtype=wide) if wants_weight else None
        grad_bias = torch.zeros_like(weight[:, 0], dtype=wide) if wants_bias else None
        for part in tiles(len(inputs), len(weight), inputs.device, MOVING_TILES if wants_weight else 1):
            logits_nV = cap(head, linear(inputs[part], weight, bias, head.scale))
            loss, norm_n, soft_nV = tile_loss(logits_nV, targets_N[part], terms)
            total += loss
            gradient = tile_gradient(soft_nV, norm_n, targets_N[part], terms)
            if head.softcap is not None:
                gradient.mul_(1 - (logits_nV / head.softcap).square())
            if head.scale != 1.0:
                gradient.mul_(head.scale)
            if grad_bias is not None:
                grad_bias += gradient.sum(0)
            narrow = gradient.to(inputs.dtype)
            if grad_inputs is not None:
                torch.mm(narrow, weight, out=grad_inputs[part])
            if grad_weight is not None:
                accumulate(grad_weight, narrow, inputs[part])
        ctx.gradients = (
            None if grad_inputs is None else grad_inputs.to(inputs_NH.dtype),
            None if grad_weight is None else grad_weight.to(weight_VH.dtype),
            None if grad_bias is None or bias_V is None else grad_bias.to(bias_V.dtype),
        )
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> Any:
        """Upstream: the scalar the summed loss is multiplied with."""
        gradients = [None if gradient is None else gradient.mul_(upstream) for gradient in ctx.gradients]
        ctx.gradients = ()
        return (*gradients, None, None, None)


def accumulate(grad_weight: Tensor, gradient_nV: Tensor, inputs_nH: Tensor) -> None:
    """grad_weight += gradientᵀ inputs, without a second matrix where the dtypes agree."""
    if grad_weight.dtype == inputs_nH.dtype:
        grad_weight.addmm_(gradient_nV.T, inputs_nH)
    else:
        grad_weight += gradient_nV.T @ inputs_nH
