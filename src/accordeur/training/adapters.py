"""Low-rank adapters in fewer passes over memory: the same result as peft's, while training on a CPU."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from accordeur.plan import DevicePlan


def keep_mask(shape: torch.Size, dropout: float) -> Tensor:
    """Bool, False with probability `dropout` (to 1/65536): four draws out of one 64-bit number, which is fast."""
    count = shape.numel()
    words = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    return (words.view(torch.int16)[:count] >= round(dropout * 65536) - 32768).view(shape)


class LowRankUpdate(torch.autograd.Function):
    """result + scaling · B A drop(x), written over `result`; the mask is kept as bytes and x once."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        """Inputs: result (N, out), x (N, in), A (r, in), B (out, r), scaling, dropout."""
        result_NO, x_NI, a_RI, b_OR, scaling, dropout = inputs
        keep = keep_mask(x_NI.shape, dropout) if dropout else None
        kept_NI = x_NI if keep is None else x_NI * keep
        factor = scaling / (1 - dropout)
        low_NR = (kept_NI @ a_RI.T).mul_(factor)
        ctx.save_for_backward(kept_NI, keep, a_RI, b_OR, low_NR)
        ctx.factor = factor
        ctx.mark_dirty(result_NO)
        return torch.Tensor.addmm_(result_NO, low_NR, b_OR.T)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream_NO: Tensor) -> Any:
        """The gradient of the result passes through; those of x, A and B are low-rank products."""
        kept_NI, keep, a_RI, b_OR, low_NR = ctx.saved_tensors
        grad_low_NR = (upstream_NO @ b_OR).mul_(ctx.factor)
        grad_x = None
        if ctx.needs_input_grad[1]:
            grad_x = grad_low_NR @ a_RI
            if keep is not None:
                grad_x.mul_(keep)
        return upstream_NO, grad_x, grad_low_NR.T @ kept_NI, upstream_NO.T @ low_NR, None, None


class FusedLora:
    """Takes the place of peft's plain forward pass through its own hook for variants, for as long as `fused` lasts."""

    @staticmethod
    def forward(module: Any, active_adapter: str, x: Tensor, result: Tensor, **_: Any) -> Tensor:
        """x: (..., in), result: (..., out) of the frozen layer."""
        dropout = module.lora_dropout[active_adapter]
        updated: Tensor = LowRankUpdate.apply(  # type: ignore[no-untyped-call]
            result.view(-1, result.shape[-1]),
            x.reshape(-1, x.shape[-1]),
            module.lora_A[active_adapter].weight,
            module.lora_B[active_adapter].weight,
            module.scaling[active_adapter],
            dropout.p if isinstance(dropout, nn.Dropout) and module.training else 0.0,
        )
        return updated.view(result.shape)


@contextlib.contextmanager
def fused(trunk: nn.Module) -> Iterator[int]:
    """Uses the short way for every plain adapter on a float CPU layer; yields how many there are."""
    layers = list(plain_adapters(trunk))
    for layer in layers:
        layer.lora_variant["default"] = FusedLora
    try:
        yield len(layers)
    finally:
        for layer in layers:
            del layer.lora_variant["default"]


def plain_adapters(trunk: nn.Module) -> Iterator[Any]:
    """Layers of peft's plain LoRA with one adapter, no bias and no variant, in full precision on a CPU."""
    from peft.tuners.lora.layer import Linear

    modules: Iterator[Any] = trunk.modules()
    for module in modules:
        if type(module) is not Linear or list(module.lora_A) != ["default"] or module.lora_variant or module.merged:
            continue
        weights = [module.lora_A["default"].weight, module.lora_B["default"].weight, module.base_layer.weight]
        plain = all(weight.device.type == "cpu" and weight.dtype in (torch.float32, torch.float64) for weight in weights)
        if plain and module.lora_B["default"].bias is None and not module.lora_bias["default"]:
            yield module


@contextlib.contextmanager
def short_way(network: Any, device: DevicePlan) -> Iterator[None]:
    """`fused` where the plan is a CPU in float32, else nothing."""
    if device.device != "cpu" or device.dtype != "float32":
        yield
        return
    with fused(network.trunk):
        yield
