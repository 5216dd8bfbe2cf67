"""Learning-rate schedules: pure functions from the step to a factor of the peak rate."""

from __future__ import annotations

import math
from collections.abc import Callable

from accordeur.training.settings import Schedule

DECAY_SHARE = 0.25  # of all steps, the trapezoid's descent
EXPONENTIAL_FLOOR = 0.01  # an exponential can't reach 0


def warmup_steps(warmup: float, steps: int) -> int:
    """A share of the steps when below 1, else a number of steps."""
    return round(warmup) if warmup >= 1 else math.ceil(warmup * steps)


def factor(schedule: Schedule, step: int, *, warmup: int, steps: int, floor: float = 0.0) -> float:
    """Factor of the peak rate at a step, counted from 1 to `steps`; it rises linearly over the first `warmup` steps."""
    if step <= warmup:
        return step / warmup
    return SHAPES[schedule](step, warmup, steps, floor)


def constant(step: int, warmup: int, steps: int, floor: float) -> float:
    """1."""
    return 1.0


def linear(step: int, warmup: int, steps: int, floor: float) -> float:
    """From 1 towards `floor`, which the step after the last would reach."""
    return floor + (1 - floor) * (1 - progress(step, warmup, steps))


def cosine(step: int, warmup: int, steps: int, floor: float) -> float:
    """floor + (1 - floor) · (1 + cos(π p)) / 2 (Loshchilov & Hutter 2017)."""
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress(step, warmup, steps)))


def inverse_sqrt(step: int, warmup: int, steps: int, floor: float) -> float:
    """√(N / t) with N the warm-up steps, at least 1 (Vaswani et al. 2017)."""
    return math.sqrt(max(1, warmup) / step)


def exponential(step: int, warmup: int, steps: int, floor: float) -> float:
    """f^p, where f is the floor (0.01 where none is given)."""
    return float((floor or EXPONENTIAL_FLOOR) ** progress(step, warmup, steps))


def trapezoid(step: int, warmup: int, steps: int, floor: float) -> float:
    """1, then over the last quarter of the steps down to `floor` in a line (Zhai et al. 2022; Hägele et al. 2024)."""
    return floor + (1 - floor) * min(1.0, (steps - step + 1) / (DECAY_SHARE * steps))


def progress(step: int, warmup: int, steps: int) -> float:
    """0 at the first step after the warm-up, 1 after the last step."""
    return min(1.0, max(0.0, (step - 1 - warmup) / max(1, steps - warmup)))


SHAPES: dict[str, Callable[[int, int, int, float], float]] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
    "inverse_sqrt": inverse_sqrt,
    "exponential": exponential,
    "trapezoid": trapezoid,
}
