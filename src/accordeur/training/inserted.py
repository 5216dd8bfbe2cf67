"""What peft puts into a frozen trunk, checked against the base: low-rank adapters and learned scales."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import nn

from accordeur.errors import NotApplicable, RecipeError
from accordeur.training import trainable
from accordeur.training.libraries import before_peft


def low_rank(
    network: Any, targets: Sequence[str] | str | None = None, rank: int = 8, layers: int | None = None, **settings: Any
) -> Any:
    """LoRA, in the so many topmost blocks where `layers` is given.

    RecipeError for named targets that match nothing, for more layers than there are, and for a rank above the width of a
    layer it would go into.
    """
    check_names(network, targets)
    if layers is not None:
        settings["layers_to_transform"] = topmost(network, layers)
        settings["layers_pattern"] = trainable.stack(network)[0].split(".")[-2]
        targets = named(network, targets)
    try:
        config = trainable.lora(network, rank=rank, targets=targets, **settings)
    except ValueError as fault:
        raise NotApplicable(f"no layer of this base takes an adapter: {fault}") from fault
    for name, _ in network.trunk.named_modules():
        if name.endswith(".lora_A.default"):
            layer = network.trunk.get_submodule(name.removesuffix(".lora_A.default"))
            width = min(layer.in_features, layer.out_features)
            if rank > width:
                place = name.removesuffix(".lora_A.default")
                raise RecipeError(f"rank {rank} is above {width}, the width of {place}", hint=f"choose a rank of at most {width}")
    return config


def topmost(network: Any, layers: int) -> list[int]:
    """The places of the topmost blocks, as peft counts them."""
    if network.trunk.config.is_encoder_decoder:
        raise NotApplicable("the topmost blocks of an encoder-decoder are those of its decoder only; leave `layers` out")
    count = len(trainable.stack(network))
    if not 0 < layers <= count:
        raise RecipeError(f"layers = {layers}: expected 1 to {count}, the blocks of this base", hint="leave it out for all")
    return list(range(count - layers, count))


def named(network: Any, targets: Sequence[str] | str | None) -> Sequence[str]:
    """Targets as names of layers, which peft needs where only some blocks are meant."""
    chosen = trainable.TARGETS.get(network.trunk.config.model_type, trainable.ALL_LINEAR) if targets is None else targets
    if chosen != trainable.ALL_LINEAR:
        return [chosen] if isinstance(chosen, str) else chosen
    inside = {name for block, _ in trainable.blocks(network.trunk) for name in layer_names(network.trunk.get_submodule(block))}
    return sorted(inside)


def scaled(network: Any, targets: Sequence[str] | None = None, trunk_dropout: Literal["off", "keep"] = "off") -> Any:
    """(IA)³ (Liu et al. 2022): learned scales of keys, values and inner activations, all 1 at the start. Returns peft's config.

    targets: names of layers, or None for peft's table of the family; those of them that end a feed-forward part are scaled
    at their input.
    """
    before_peft()
    from peft import IA3Config, inject_adapter_in_model
    from peft.utils import TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING as INNER
    from peft.utils import TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING as USUAL

    family = network.trunk.config.model_type
    if targets is None and family not in USUAL:
        raise NotApplicable(f"it is not known which layers of a {family} are scaled; name them as `targets`")
    check_names(network, targets)
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
        raise NotApplicable(f"no layer of this base takes learned scales: {fault}") from fault
    trainable.unfreeze(network, lambda name: name.startswith("head.") or ".ia3_l." in name)
    return config


def check_names(network: Any, targets: Sequence[str] | str | None) -> None:
    """RecipeError for the first named target that is no layer: peft would leave it out as long as another one is."""
    if targets is None or targets == trainable.ALL_LINEAR:
        return
    places = [name for name, module in network.trunk.named_modules() if is_matrix(module)]
    for target in [targets] if isinstance(targets, str) else targets:
        if not any(f".{place}".endswith(f".{target}") for place in places):
            names = ", ".join(layer_names(network.trunk))
            raise RecipeError(f"target {target!r} matches no layer of this base", hint=f"its layers end in {names}")


def layer_names(trunk: nn.Module) -> list[str]:
    """The last parts of the names of all matrices, which is what targets name."""
    return sorted({name.rpartition(".")[2] for name, module in trunk.named_modules() if is_matrix(module)})


def is_matrix(module: nn.Module) -> bool:
    """A linear layer, also as GPT-2 spells it."""
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"
