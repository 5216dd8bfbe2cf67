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
STRIP_BYTES = 2**20  # of a tile's logits worked on at once by a CPU: they stay in its cache from the first operation to the last
SURE = 1e-30  # a softmax below this is too close to the end of its range for an exact logarithm


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
    settings = trunk.config.get_text_config()  # read by name, as this runs in every pass: a dict of it is a deep copy
    scale = float(getattr(settings, "logit_scale", None) or 1.0) / float(getattr(settings, "logits_scaling", None) or 1.0)
    if settings.model_type in T5_KIN and getattr(settings, "scale_decoder_outputs", False):
        scale *= float(settings.d_model) ** -0.5
    bias = output.bias
    extra = getattr(trunk, "final_logits_bias", None)
    if extra is not None:
        bias = extra[0] if bias is None else bias + extra[0]
    return VocabularyHead(
        weight_VH=output.weight,
        bias_V=bias,
        scale=scale,
        softcap=getattr(settings, "final_logit_softcapping", None),
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
        parts.append(picked(logits_nV.log_softmax(1), targets_N[part]).float())
    return torch.cat(parts) if parts else hidden_NH.new_zeros(0, dtype=torch.float32)


def logit_tiles(head: VocabularyHead, prepared_NH: Tensor) -> Iterator[tuple[Tensor, slice]]:
    """Logits of a few positions at a time, at least float32."""
    weight, bias, inputs = in_compute_dtype(head, prepared_NH)
    for part in tiles(len(inputs), len(weight), inputs.device):
        yield scored(head, F.linear(inputs[part], weight, bias)), part


def in_compute_dtype(head: VocabularyHead, prepared_NH: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
    """Weight, bias and inputs in the dtype of the matrix product: cast once, not once per tile."""
    kind = prepared_NH.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else head.weight_VH.dtype
    bias = None if head.bias_V is None else head.bias_V.to(dtype)
    return head.weight_VH.to(dtype), bias, prepared_NH.to(dtype)


def scored(head: VocabularyHead, products_nV: Tensor) -> Tensor:
    """cap(scale · products) in at least float32, where those are float32 in place; the cap is c·tanh(x / c)."""
    logits_nV = products_nV.to(torch.promote_types(products_nV.dtype, torch.float32))
    if head.scale != 1.0:
        logits_nV.mul_(head.scale)
    return logits_nV if head.softcap is None else logits_nV.div_(head.softcap).tanh_().mul_(head.softcap)


def tiles(rows: int, vocabulary: int, device: torch.device, larger: int = 1) -> Iterator[slice]:
    """Even slices of the positions, so that no last tile is tiny."""
    return even(rows, vocabulary, TILE_BYTES * larger * (1 if device.type == "cpu" else 8))


def strips(table_nV: Tensor) -> Iterator[slice]:
    """Slices of a tile that fit a CPU's cache; on an accelerator, where a call costs more than memory does, the whole tile."""
    rows, vocabulary = table_nV.shape
    return even(rows, vocabulary, STRIP_BYTES if table_nV.device.type == "cpu" else 4 * table_nV.numel())


def even(rows: int, vocabulary: int, room: int) -> Iterator[slice]:
    """As few even slices as have their float32 logits within so many bytes."""
    count = max(1, -(-rows * vocabulary * 4 // room)) if rows else 0
    size = -(-rows // count) if rows else 1
    yield from (slice(start, start + size) for start in range(0, rows, size))


def picked(table_nV: Tensor, targets_n: Tensor) -> Tensor:
    """(n,): of each position what stands at its target."""
    return table_nV.gather(1, targets_n[:, None])[:, 0]


def tile_loss(logits_nV: Tensor, targets_n: Tensor, terms: LossTerms) -> tuple[Tensor, Tensor, Tensor]:
    """The summed loss of a tile, its log Z, (n,), and its softmax, from which the others follow without another pass."""
    soft_nV = torch.softmax(logits_nV, 1)
    share_n, logit_n = picked(soft_nV, targets_n), picked(logits_nV, targets_n)
    nll_n = -share_n.log()
    unsure_n = share_n < SURE
    if bool(unsure_n.any()):
        nll_n[unsure_n] = logits_nV[unsure_n].logsumexp(1) - logit_n[unsure_n]
    norm_n = nll_n + logit_n
    loss = nll_n.sum()
    if terms.smoothing:
        loss = loss + terms.smoothing * (logit_n - logits_nV.mean(1)).sum()
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


def strip_loss(head: VocabularyHead, products_nV: Tensor, targets_n: Tensor, terms: LossTerms) -> tuple[Tensor, Tensor]:
    """The summed loss, and its gradient by the products, in at least float32; the products may be gone afterwards."""
    logits_nV = scored(head, products_nV)
    loss, norm_n, soft_nV = tile_loss(logits_nV, targets_n, terms)
    gradient = tile_gradient(soft_nV, norm_n, targets_n, terms)
    if head.softcap is not None:
        gradient.mul_(1 - (logits_nV / head.softcap).square())
    return loss, gradient if head.scale == 1.0 else gradient.mul_(head.scale)


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
            table_nV = F.linear(inputs[part], weight, bias)  # strip by strip it becomes its own gradient
            for strip in strips(table_nV):
                loss, gradient_nV = strip_loss(head, table_nV[strip], targets_N[part][strip], terms)
                total += loss
                if grad_bias is not None:
                    grad_bias += gradient_nV.sum(0)
                table_nV[strip] = gradient_nV
            if grad_inputs is not None:
                torch.mm(table_nV, weight, out=grad_inputs[part])
            if grad_weight is not None:
                accumulate(grad_weight, table_nV, inputs[part])
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
