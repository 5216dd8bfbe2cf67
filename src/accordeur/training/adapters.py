"""Low-rank adapters in fewer passes over memory: the same result as peft's, while training on a CPU."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from accordeur.plan import DevicePlan
from accordeur.training.libraries import before_peft


def keep_mask(shape: torch.Size, dropout: float) -> Tensor:
    """Bool, False with probability `dropout` (to 1/65536): four draws out of one 64-bit number, which is fast."""
    count = shape.numel()
    words = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    return (words.view(torch.int16)[:count] >= round(dropout * 65536) - 32768).view(shape)


class LowRankLinear(torch.autograd.Function):
    """x W + b + scaling · B A drop(x): x is cast to the dtype of W once, and the adapter is added into the layer's product."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        """Inputs: x (N, in), W (in, out) frozen, b (out,) or None, A (r, in), B (out, r), scaling, dropout."""
        x_NI, weight_IO, bias_O, wide_a_RI, wide_b_OR, scaling, dropout = inputs
        dtype = weight_IO.dtype
        read_NI, a_RI, b_OR = x_NI.to(dtype), wide_a_RI.to(dtype), wide_b_OR.to(dtype)
        keep = keep_mask(x_NI.shape, dropout) if dropout else None
        result_NO = read_NI @ weight_IO if bias_O is None else torch.addmm(bias_O.to(dtype), read_NI, weight_IO)
        kept_NI = read_NI if keep is None else read_NI * keep
        factor = scaling / (1 - dropout)
        low_NR = (kept_NI @ a_RI.T).mul_(factor)
        ctx.save_for_backward(kept_NI, keep, weight_IO, a_RI, b_OR, low_NR)
        ctx.factor, ctx.dtypes = factor, (x_NI.dtype, wide_a_RI.dtype, wide_b_OR.dtype)
        return result_NO.addmm_(low_NR, b_OR.T)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream_NO: Tensor) -> Any:
        """The frozen layer has no gradient; that of x is its product and the low-rank one in one matrix."""
        kept_NI, keep, weight_IO, a_RI, b_OR, low_NR = ctx.saved_tensors
        grad_low_NR = (upstream_NO @ b_OR).mul_(ctx.factor)
        x_dtype, a_dtype, b_dtype = ctx.dtypes
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = upstream_NO @ weight_IO.T
            if keep is None:
                grad_x.addmm_(grad_low_NR, a_RI)
            else:
                grad_x.addcmul_(grad_low_NR @ a_RI, keep)
            grad_x = grad_x.to(x_dtype)
        return grad_x, None, None, (grad_low_NR.T @ kept_NI).to(a_dtype), (upstream_NO.T @ low_NR).to(b_dtype), None, None


def forward(layer: Any, x: Tensor) -> Tensor:
    """What peft's layer with its one adapter gives, (..., in) to (..., out), in the dtype of the surrounding autocast."""
    base, dropout = layer.base_layer, layer.lora_dropout["default"]
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else base.weight.dtype
    weight_IO = (base.weight.T if isinstance(base, nn.Linear) else base.weight).to(dtype)
    updated: Tensor = LowRankLinear.apply(  # type: ignore[no-untyped-call]
        x.reshape(-1, x.shape[-1]),
        weight_IO,
        base.bias,
        layer.lora_A["default"].weight,
        layer.lora_B["default"].weight,
        layer.scaling["default"],
        dropout.p if isinstance(dropout, nn.Dropout) and layer.training else 0.0,
    )
    return updated.view(*x.shape[:-1], updated.shape[-1])


@contextlib.contextmanager
def fused(trunk: nn.Module) -> Iterator[int]:
    """Uses the short way for every plain adapter on a float CPU layer; yields how many there are."""
    layers = list(plain_adapters(trunk))
    for layer in layers:
        layer.forward = shortened(layer, layer.forward)
    try:
        yield len(layers)
    finally:
        for layer in layers:
            del layer.forward


def shortened(layer: Any, plain: Any) -> Any:
    """The short way, but peft's own where its adapters are switched off or something special is asked of it."""

    def run(x: Tensor, *rest: Any, **options: Any) -> Any:
        if rest or options or layer.disable_adapters:
            return plain(x, *rest, **options)
        return forward(layer, x)

    return run


def plain_adapters(trunk: nn.Module) -> Iterator[Any]:
    """Layers of peft's plain LoRA with one adapter, no bias and no variant, on a frozen layer in full precision on a CPU."""
    before_peft()
    from peft.tuners.lora.layer import Linear

    modules: Iterator[Any] = trunk.modules()
    for module in modules:
        if type(module) is not Linear or list(module.lora_A) != ["default"] or module.lora_variant or module.merged:
            continue
        base = module.base_layer
        weights = [module.lora_A["default"].weight, module.lora_B["default"].weight, base.weight]
        plain = all(weight.device.type == "cpu" and weight.dtype in (torch.float32, torch.float64) for weight in weights)
        frozen = not any(parameter.requires_grad for parameter in base.parameters())
        if plain and frozen and module.lora_B["default"].bias is None and not module.lora_bias["default"]:
            yield module


@contextlib.contextmanager
def short_way(network: Any, device: DevicePlan) -> Iterator[None]:
    """`fused` where the plan is a CPU, else nothing."""
    if device.device != "cpu":
        yield
        return
    with fused(network.trunk):
        yield
