"""Rates that differ inside one network: lower blocks slower, LoRA's second matrix faster, blocks that open one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accordeur.training.settings import TrainingSettings
from accordeur.training.trainable import final_norms, stack


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a parameter moves: its factor of the rate, and the share of the steps after which it starts."""

    factor: float = 1.0
    opens: float = 0.0


def paces(network: Any, settings: TrainingSettings) -> Callable[[str], Pace]:
    """The pace of every parameter by its name; the same one for all where the settings ask for nothing else."""
    if settings.layer_decay == 1.0 and settings.gradual == 0.0:
        return lambda name: Pace(factor=b_factor(name, settings))
    depth_of, top = depths(network)
    moving = sorted({depth_of(name) for name, parameter in network.named_parameters() if parameter.requires_grad}, reverse=True)
    waits = [depth for depth in moving if depth < top]

    def pace(name: str) -> Pace:
        depth = depth_of(name)
        opens = settings.gradual * waits.index(depth) / len(waits) if depth in waits else 0.0
        return Pace(factor=b_factor(name, settings) * settings.layer_decay ** (top - depth), opens=opens)

    return pace


def b_factor(name: str, settings: TrainingSettings) -> float:
    """LoRA+'s ratio for the matrices B, 1 for everything else."""
    return settings.b_factor if ".lora_B." in name else 1.0


def depths(network: Any) -> tuple[Callable[[str], int], int]:
    """(the depth of a parameter by its name, the greatest one): 0 below the blocks, a block each, head and last norm on top."""
    names = stack(network)
    above = ("head.", *(f"trunk.{name}." for name in final_norms(network.trunk, names[-1].rpartition(".")[0])))
    places = {f"trunk.{name}.": place for place, name in enumerate(names, start=1)}

    def depth(name: str) -> int:
        if name.startswith(above):
            return len(names) + 1
        return next((place for prefix, place in places.items() if name.startswith(prefix)), 0)

    return depth, len(names) + 1
