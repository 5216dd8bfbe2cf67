"""Muon: momentum whose matrix updates are made orthogonal (Jordan et al. 2024); AdamW for embeddings and vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from accordeur.training.settings import TrainingSettings

COEFFICIENTS = (3.4445, -4.775, 2.0315)  # of the quintic Newton-Schulz iteration
ITERATIONS = 5
LIKE_ADAM = 0.2  # size of an update's elements, so that rates of AdamW carry over (Liu et al. 2025)
FUSED = 3  # a matrix three times as long as wide is query, key and value side by side


class Muon(torch.optim.Optimizer):
    """Groups with `orthogonal` true hold matrices for Muon, the others are moved by AdamW.

    half: updates are made orthogonal by products in bf16; weights and momentum stay as they are.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], settings: TrainingSettings, *, half: bool = False) -> None:
        defaults = {"lr": settings.rate, "betas": settings.betas, "eps": settings.epsilon, "momentum": 0.95}
        defaults["fused"] = True  # torch then puts a loaded count of steps where its kernel wants it
        torch.optim.Optimizer.__init__(self, list(groups), defaults)
        self.half = half

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of all weights that have a gradient."""
        for group in self.param_groups:
            moving = [parameter for parameter in group["params"] if parameter.grad is not None]
            if group["orthogonal"]:
                self.step_matrices(moving, group)
            else:
                self.step_adam(moving, group)

    def step_matrices(self, moving: list[nn.Parameter], group: dict[str, Any]) -> None:
        """Nesterov momentum, made orthogonal: matrices of one shape together."""
        stacks: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = {}
        for parameter in moving:
            if group["weight_decay"]:
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
            state = self.state[parameter]
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            assert parameter.grad is not None
            state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
            wanted = parameter.grad.lerp(state["momentum"], group["momentum"])
            for part, update in zip(parts(parameter), parts(wanted), strict=True):
                stacks.setdefault(tuple(part.shape), []).append((part, update))
        for shape, pairs in stacks.items():
            updates = orthogonal(torch.stack([update for _, update in pairs]), self.half)
            for (part, _), update in zip(pairs, updates, strict=True):
                part.add_(update, alpha=-group["lr"] * LIKE_ADAM * max(shape) ** 0.5)

    def step_adam(self, moving: list[nn.Parameter], group: dict[str, Any]) -> None:
        """AdamW (Loshchilov & Hutter 2019), fused: one pass over the weights."""
        for parameter in moving:
            state = self.state[parameter]
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
                state["first"], state["second"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        states = [self.state[parameter] for parameter in moving]
        adamw(
            list(moving),
            [parameter.grad for parameter in moving if parameter.grad is not None],
            [state["first"] for state in states],
            [state["second"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )


def parts(matrix: Tensor) -> list[Tensor]:
    """The matrix, or its three thirds where query, key and value are fused."""
    rows, columns = matrix.shape
    if columns == FUSED * rows:
        return list(matrix.chunk(FUSED, dim=1))
    return list(matrix.chunk(FUSED, dim=0)) if rows == FUSED * columns else [matrix]


def orthogonal(stack_KRC: Tensor, half: bool = False) -> Tensor:
    """The nearest (half-)orthogonal matrix of each of K, nearly: singular values end between 0.7 and 1.2.

    half: products in bf16, as in Jordan's own code; that range is wide enough for their rounding.
    """
    a, b, c = COEFFICIENTS
    tall = stack_KRC.shape[1] > stack_KRC.shape[2]
    x = stack_KRC.mT if tall else stack_KRC
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    x = x.bfloat16() if half else x
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    x = x.to(stack_KRC.dtype)
    return x.mT if tall else x


def split(network: nn.Module, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every group in two: matrices inside the trunk's blocks, and the rest (embeddings, heads, biases, norms)."""
    tables = {id(module.weight) for module in network.modules() if isinstance(module, nn.Embedding)}
    heads = {id(parameter) for name, parameter in network.named_parameters() if name.startswith("head.") or "lm_head" in name}
    result = []
    for group in groups:
        for wanted in (True, False):
            chosen = [p for p in group["params"] if (p.ndim == 2 and id(p) not in tables | heads) == wanted]
            if chosen:
                result.append({**group, "params": chosen, "orthogonal": wanted})
    return result
