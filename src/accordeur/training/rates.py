"""Rates that differ inside one network: lower blocks slower, LoRA's second matrix faster, blocks opened one by one, T5's own."""

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
    sizes = beginnings(network.trunk) if settings.by_size else {}

    def factor(name: str) -> float:
        return b_factor(name, settings) * next((size for end, size in sizes.items() if name.endswith(end)), 1.0)

    if settings.layer_decay == 1.0 and settings.gradual == 0.0:
        return lambda name: Pace(factor=factor(name))
    depth_of, top = depths(network)
    moving = sorted({depth_of(name) for name, parameter in network.named_parameters() if parameter.requires_grad}, reverse=True)
    waits = [depth for depth in moving if depth < top]

    def pace(name: str) -> Pace:
        depth = depth_of(name)
        opens = settings.gradual * waits.index(depth) / len(waits) if depth in waits else 0.0
        return Pace(factor=factor(name) * settings.layer_decay ** (top - depth), opens=opens)

    return pace


def b_factor(name: str, settings: TrainingSettings) -> float:
    """LoRA+'s ratio for the matrices B, 1 for everything else."""
    return settings.b_factor if ".lora_B." in name else 1.0


def beginnings(trunk: Any) -> dict[str, float]:
    """How large some of T5's weights begin, by the end of their names, over the matrices of its blocks (√d_model · size).

    Queries begin √d_kv times smaller, as nothing else scales its attention, embeddings √d_model times larger. Its authors moved
    each weight in proportion to its own size (Raffel et al. 2020, by Adafactor's relative steps); at one rate for all,
    the scores grow out of proportion and the encoder ends in one and the same vector whatever it reads.
    """
    config = trunk.config
    return {"shared.weight": config.d_model**0.5, "Attention.q.weight": config.d_kv**-0.5}


def depths(network: Any) -> tuple[Callable[[str], int], int]:
    """(the depth of a parameter by its name, the greatest one): 0 below the blocks, a block each, on top heads and the last norm.

    The last norm of an encoder below a decoder goes with the encoder's last block. A tied output head is the embeddings.
    """
    trunk, names = network.trunk, stack(network)
    places = {f"trunk.{name}.": place for place, name in enumerate(names, start=1)}
    for place, name in enumerate(names, start=1):  # of several stacks: the last block of each decides
        places |= {f"trunk.{norm}.": place for norm in final_norms(trunk, name.rpartition(".")[0])}
    heads = [name for name, module in trunk.named_modules() if name and module is trunk.get_output_embeddings()]
    above = ("head.", *(f"trunk.{name}." for name in [*heads, *final_norms(trunk, names[-1].rpartition(".")[0])]))

    def depth(name: str) -> int:
        if name.startswith(above):
            return len(names) + 1
        return next((place for prefix, place in places.items() if name.startswith(prefix)), 0)

    return depth, len(names) + 1
