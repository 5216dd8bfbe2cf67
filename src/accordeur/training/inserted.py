"""What peft puts into a frozen trunk, checked against the base: low-rank adapters and learned scales."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import nn

from accordeur.errors import NotApplicable, RecipeError
from accordeur.training import trainable


def low_rank(network: Any, targets: Sequence[str] | str | None = None, rank: int = 8, **settings: Any) -> Any:
    """LoRA. RecipeError for named targets that match nothing, and for a rank above the width of a layer it would go into."""
    try:
        config = trainable.lora(network, rank=rank, targets=targets, **settings)
    except ValueError as fault:
        raise unmatched(network, targets, fault) from fault
    for name, _ in network.trunk.named_modules():
        if name.endswith(".lora_A.default"):
            layer = network.trunk.get_submodule(name.removesuffix(".lora_A.default"))
            width = min(layer.in_features, layer.out_features)
            if rank > width:
                place = name.removesuffix(".lora_A.default")
                raise RecipeError(f"rank {rank} is above {width}, the width of {place}", hint=f"choose a rank of at most {width}")
    return config


def scaled(network: Any, targets: Sequence[str] | None = None, trunk_dropout: Literal["off", "keep"] = "off") -> Any:
    """(IA)³ (Liu et al. 2022): learned scales of keys, values and inner activations, all 1 at the start. Returns peft's config.

    targets: names of layers, or None for peft's table of the family; those of them that end a feed-forward part are scaled
    at their input.
    """
    from peft import IA3Config, inject_adapter_in_model
    from peft.utils import TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING as INNER
    from peft.utils import TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING as USUAL

    family = network.trunk.config.model_type
    if targets is None and family not in USUAL:
        raise NotApplicable(f"it is not known which layers of a {family} are scaled; name them as `targets`")
    chosen = list(targets) if targets is not None else list(USUAL[family])
    inner = [name for name in INNER.get(family, ()) if name in chosen]
    config = IA3Config(target_modules=chosen, feedforward_modules=inner, fan_in_fan_out=family == "gpt2")
    if trunk_dropout == "off":
        trainable.silence_dropout(network.trunk)
    trainable.freeze_all(network)
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inject_adapter_in_model(config, network.trunk)
    except ValueError as fault:
        raise unmatched(network, targets, fault) from fault
    trainable.unfreeze(network, lambda name: name.startswith("head.") or ".ia3_l." in name)
    return config


def unmatched(network: Any, targets: Sequence[str] | str | None, fault: ValueError) -> Exception:
    """Why nothing was put in: the user's names where there are any, else the base."""
    if targets is None or targets == trainable.ALL_LINEAR:
        return NotApplicable(f"no layer of this base takes an adapter: {fault}")
    names = ", ".join(layer_names(network.trunk))
    return RecipeError(f"targets {targets!r} match no layer of this base", hint=f"its layers end in {names}")


def layer_names(trunk: nn.Module) -> list[str]:
    """The last parts of the names of all matrices, which is what targets name."""
    return sorted({name.rpartition(".")[2] for name, module in trunk.named_modules() if is_matrix(module)})


def is_matrix(module: nn.Module) -> bool:
    """A linear layer, also as GPT-2 spells it."""
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"
