"""Optimizers by name, with weight decay kept off biases and norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from accordeur.errors import EnvironmentFault
from accordeur.training import muon, rates
from accordeur.training.libraries import bitsandbytes
from accordeur.training.settings import TrainingSettings

Group = dict[str, Any]


def build(network: nn.Module, settings: TrainingSettings, dtype: str = "float32") -> torch.optim.Optimizer:
    """The optimizer over what moves. Each group carries `peak`, its learning rate before the schedule.

    dtype: the one training multiplies in, as planned; Muon then makes its updates orthogonal in bf16 too.
    """
    parts = groups(network, settings)
    if settings.optimizer == "muon":
        return muon.Muon(muon.split(network, parts), settings, half=dtype == "bfloat16")
    return BUILDERS[settings.optimizer](parts, settings)


def groups(network: nn.Module, settings: TrainingSettings) -> list[Group]:
    """Up to four groups, trunk or head, decayed (matrices) or not (biases, norms); more where rates differ inside the trunk."""
    pace_of = rates.paces(network, settings)
    parts: dict[tuple[bool, bool, rates.Pace], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            parts.setdefault((name.startswith("head."), parameter.ndim >= 2, pace_of(name)), []).append(parameter)
    result = []
    for (head, decayed, pace), parameters in parts.items():
        rate = pace.factor * (settings.head_rate if head and settings.head_rate is not None else settings.rate)
        decay = settings.weight_decay if decayed else 0.0
        result.append({"params": parameters, "lr": rate, "peak": rate, "weight_decay": decay, "opens": pace.opens})
    return result


def set_rate(optimizer: torch.optim.Optimizer, factor: float, progress: float = 1.0) -> float:
    """Sets every group's rate to factor × peak, or 0 before the share of the steps at which it opens.

    Returns the rate of the first open group.
    """
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor if progress > group["opens"] else 0.0
    return float(next((group["lr"] for group in optimizer.param_groups if progress > group["opens"]), 0.0))


def adamw(parts: list[Group], settings: TrainingSettings) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019), fused: one pass over the weights."""
    return torch.optim.AdamW(parts, lr=settings.rate, betas=settings.betas, eps=settings.epsilon, fused=True)


def adam(parts: list[Group], settings: TrainingSettings) -> torch.optim.Optimizer:
    """Adam (Kingma & Ba 2015): decay is added to the gradient, as in L2 regularisation."""
    return torch.optim.Adam(parts, lr=settings.rate, betas=settings.betas, eps=settings.epsilon, fused=True)


def sgd(parts: list[Group], settings: TrainingSettings) -> torch.optim.Optimizer:
    """Gradient descent with momentum; decay is added to the gradient."""
    return torch.optim.SGD(parts, lr=settings.rate, momentum=settings.momentum)


def rmsprop(parts: list[Group], settings: TrainingSettings) -> torch.optim.Optimizer:
    """RMSProp (Tieleman & Hinton 2012); its smoothing constant is the second beta; decay is added to the gradient."""
    return torch.optim.RMSprop(parts, lr=settings.rate, alpha=settings.betas[1], eps=settings.epsilon, momentum=settings.momentum)


def adafactor(parts: list[Group], settings: TrainingSettings) -> torch.optim.Optimizer:
    """Adafactor (Shazeer & Stern 2018): second moments as rows and columns, a third of Adam's memory.

    At the rate that is asked for, not at a share of each weight's own size: adapters and biases start at 0.
    """
    from transformers.optimization import Adafactor

    optimizer: torch.optim.Optimizer = Adafactor(parts, lr=settings.rate, scale_parameter=False, relative_step=False)
    return optimizer


def adamw8bit(parts: list[Group], settings: TrainingSettings) -> torch.optim.Optimizer:
    """AdamW with 8-bit moments (Dettmers et al. 2022)."""
    library = bitsandbytes()
    if library is None:
        raise EnvironmentFault(
            "optimizer adamw8bit needs bitsandbytes, which isn't installed",
            hint="pip install 'accordeur[quant]', or choose optimizer: adamw",
        )
    optimizer: torch.optim.Optimizer = library.optim.AdamW8bit(
        parts, lr=settings.rate, betas=settings.betas, eps=settings.epsilon
    )
    return optimizer


BUILDERS: dict[str, Callable[[list[Group], TrainingSettings], torch.optim.Optimizer]] = {
    "adamw": adamw,
    "adam": adam,
    "sgd": sgd,
    "rmsprop": rmsprop,
    "adafactor": adafactor,
    "adamw8bit": adamw8bit,
}
