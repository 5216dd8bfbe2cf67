"""Optimizers and schedules written from their formulas, on numpy arrays: to read, to plot, and to test the libraries against."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(kw_only=True)
class Sgd:
    """v ← μ·v + g + λ·w;  w ← w - η·v (torch's momentum: the rate is not in the velocity)."""

    rate: float = 0.01
    momentum: float = 0.0
    decay: float = 0.0  # L2, added to the gradient
    velocity: Array | None = None

    def step(self, weights: Array, gradient: Array) -> Array:
        """The weights after one step."""
        gradient = gradient + self.decay * weights
        self.velocity = gradient if self.velocity is None else self.momentum * self.velocity + gradient
        return weights - self.rate * self.velocity


@dataclass(kw_only=True)
class RmsProp:
    """s ← α·s + (1 - α)·g²;  w ← w - η·g / (√s + ε) (Tieleman & Hinton 2012)."""

    rate: float = 0.01
    alpha: float = 0.99
    epsilon: float = 1e-8
    square: Array | None = None

    def step(self, weights: Array, gradient: Array) -> Array:
        """The weights after one step."""
        before = np.zeros_like(weights) if self.square is None else self.square
        self.square = self.alpha * before + (1 - self.alpha) * gradient**2
        return weights - self.rate * gradient / (np.sqrt(self.square) + self.epsilon)


@dataclass(kw_only=True)
class Adam:
    """Kingma & Ba 2015, algorithm 1.

    m ← β₁·m + (1 - β₁)·g;  v ← β₂·v + (1 - β₂)·g²;  m̂ = m / (1 - β₁ᵗ);  v̂ = v / (1 - β₂ᵗ);  w ← w - η·m̂ / (√v̂ + ε).
    `decay` is L2: λ·w is added to g before all this, so it is divided by √v̂ as well.
    """

    rate: float = 0.001
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    decay: float = 0.0
    first: Array | float = 0.0
    second: Array | float = 0.0
    steps: int = 0

    def step(self, weights: Array, gradient: Array) -> Array:
        """The weights after one step."""
        return weights - self.rate * self.direction(gradient + self.decay * weights)

    def direction(self, gradient: Array) -> Array:
        """m̂ / (√v̂ + ε)."""
        beta1, beta2 = self.betas
        self.steps += 1
        self.first = beta1 * self.first + (1 - beta1) * gradient
        self.second = beta2 * self.second + (1 - beta2) * gradient**2
        unbiased = self.first / (1 - beta1**self.steps)
        return unbiased / (np.sqrt(self.second / (1 - beta2**self.steps)) + self.epsilon)


@dataclass(kw_only=True)
class AdamW:
    """Loshchilov & Hutter 2019: Adam, but w is first shrunk by 1 - η·λ: the decay is not divided by √v̂."""

    rate: float = 0.001
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    decay: float = 0.01
    adam: Adam | None = None

    def step(self, weights: Array, gradient: Array) -> Array:
        """The weights after one step."""
        self.adam = self.adam or Adam(betas=self.betas, epsilon=self.epsilon)
        return weights * (1 - self.rate * self.decay) - self.rate * self.adam.direction(gradient)


def inverse_sqrt_rate(step: int, width: int, warmup: int) -> float:
    """The rate of the first transformer: w^-½ · min(t^-½, t·N^-1½) (Vaswani et al. 2017, equation 3)."""
    return float(width**-0.5 * min(step**-0.5, step * warmup**-1.5))


def cosine_rate(step: int, steps: int, highest: float, lowest: float = 0.0) -> float:
    """lowest + ½·(highest - lowest)·(1 + cos(π·t / T)) (Loshchilov & Hutter 2017, equation 5)."""
    return lowest + 0.5 * (highest - lowest) * (1 + math.cos(math.pi * step / steps))


def exponential_rate(step: int, highest: float, share: float) -> float:
    """highest · shareᵗ."""
    return highest * share**step


def dropout(values: Array, share: float, rng: np.random.Generator) -> Array:
    """Every value is 0 with probability p, the others are divided by 1 - p: the mean stays (Srivastava et al. 2014)."""
    kept = rng.random(values.shape) >= share
    return values * kept / (1 - share)


def softmax(logits: Array) -> Array:
    """exp(x) / Σ exp(x) along the last axis, shifted by the largest so that nothing overflows."""
    grown = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(grown / grown.sum(-1, keepdims=True))


def cross_entropy(logits: Array, target: int, smoothing: float = 0.0) -> float:
    """-Σ q·log p, where q is (1 - ε) at the target plus ε / V everywhere (Szegedy et al. 2016): label smoothing."""
    wanted = np.full(len(logits), smoothing / len(logits))
    wanted[target] += 1 - smoothing
    return -float((wanted * np.log(softmax(logits))).sum())


def descend(optimizer: Any, gradient: Callable[[Array], Array], start: Array, steps: int) -> Array:
    """(steps + 1, dimensions): the path of an optimizer from a start, for a picture."""
    path = [start]
    for _ in range(steps):
        path.append(optimizer.step(path[-1], gradient(path[-1])))
    return np.stack(path)
