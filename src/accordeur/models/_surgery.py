"""How a network is prepared before it moves: which parts may, what is put in, and the ecosystem's format for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from accordeur.base import Base
from accordeur.errors import ModelError, NotApplicable, RecipeError
from accordeur.store import write_json
from accordeur.training import inserted, trainable, virtual
from accordeur.training.bottleneck import bottlenecks
from accordeur.training.network import Network
from accordeur.training.quantised import low_rank_on_quantised

ADAPTER_FILE = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
PEFT_PREFIX = "base_model.model."
VIRTUAL, VIRTUAL_IN_PEFT = f"trunk.{virtual.NAME}.weight", "prompt_embeddings"
INSERTED = re.compile(r"\.(lora_[A-Za-z_]+|ia3_l)")  # behind them stands the adapter's own name, which files leave out
MAGNITUDE = "lora_magnitude_vector"  # DoRA's; a file names it without `.weight`


@dataclass(frozen=True, kw_only=True)
class Surgery:
    """The name of a preparation and its settings, JSON-ready: enough to repeat it on a fresh base."""

    name: str  # a key of OPERATIONS
    settings: dict[str, Any] = field(default_factory=dict)

    def load_ecosystem(self, folder: Path) -> dict[str, Tensor]:
        """Tensors kept in the ecosystem's format, under the network's own names."""
        if not (folder / ADAPTER_FILE).is_file():
            return {}
        found = load_file(folder / ADAPTER_FILE)
        return {network_name(name): tensor for name, tensor in found.items()}


def operate(network: Network, surgery: Surgery) -> Any:
    """Repeats a preparation on a fresh network; afterwards only what should move can.

    Raises NotApplicable where this base can't take it, RecipeError for settings that don't fit this base.
    """
    if surgery.name not in OPERATIONS:
        raise ModelError(f"unknown preparation {surgery.name!r}: it was saved by another version")
    return OPERATIONS[surgery.name](network, surgery.settings)


def everything(network: Network, settings: Mapping[str, Any]) -> Any:
    """Every weight moves."""
    return network.requires_grad_(True)


def head_alone(network: Network, settings: Mapping[str, Any]) -> Any:
    """Only a head moves, where there is one."""
    trainable.freeze_all(network)
    return network.head and network.head.requires_grad_(True)


def topmost(network: Network, settings: Mapping[str, Any]) -> Any:
    """The top blocks and the head move."""
    try:
        return trainable.unfreeze_top(network, **settings)
    except ValueError as fault:
        raise RecipeError(str(fault), hint="fewer layers, or none to let the budget decide") from fault


def biases(network: Network, settings: Mapping[str, Any]) -> Any:
    """The biases and the head move."""
    try:
        count = trainable.unfreeze_biases(network)
    except ValueError as fault:
        raise NotApplicable(f"a {network.trunk.config.model_type} has no biases to move") from fault
    trainable.silence_dropout(network.trunk)
    return count


OPERATIONS: Mapping[str, Callable[[Network, Mapping[str, Any]], Any]] = {
    "all": everything,
    "head": head_alone,
    "top": topmost,
    "biases": biases,
    "bottleneck": lambda network, settings: bottlenecks(network, **settings),
    "lora": lambda network, settings: inserted.low_rank(network, **settings),
    "qlora": lambda network, settings: low_rank_on_quantised(network, **settings),
    "ia3": lambda network, settings: inserted.scaled(network, **settings),
    "soft-prompt": lambda network, settings: virtual.soft_prompt(network, **settings),
    "prefix": lambda network, settings: virtual.prefix(network, **settings),
}


def save_ecosystem(folder: Path, network: Network, surgery: Surgery, base: Base) -> set[str]:
    """Writes adapters the way peft reads them; returns the names of the tensors that are thereby kept."""
    config = peft_config(network, surgery)
    if config is None:
        return set()
    tensors = {
        name: tensor for name, tensor in trainable.moved_tensors(network).items() if name == VIRTUAL or INSERTED.search(name)
    }
    named = {peft_name(name): tensor.cpu().contiguous() for name, tensor in tensors.items()}
    save_file(named, folder / ADAPTER_FILE, metadata={"format": "pt"})
    plain = json.loads(json.dumps(config, default=lambda value: sorted(value) if isinstance(value, set) else str(value)))
    write_json(
        folder / ADAPTER_CONFIG, {**plain, "base_model_name_or_path": str(base.folder or base.name), "inference_mode": True}
    )
    return set(tensors)


def peft_config(network: Network, surgery: Surgery) -> dict[str, Any] | None:
    """Peft's configuration of what was put in, or None where peft has no such thing (or would run it otherwise)."""
    if surgery.name in ("lora", "qlora", "ia3"):
        config: dict[str, Any] = next(iter(network.trunk.peft_config.values())).to_dict()
        return config
    if surgery.name in ("soft-prompt", "prefix") and network.form == "causal":
        return virtual.peft_config(network.trunk, surgery.name)
    return None


def peft_name(name: str) -> str:
    """`trunk.h.0.attn.c_attn.lora_A.default.weight` as peft spells it in a file."""
    if name == VIRTUAL:
        return VIRTUAL_IN_PEFT
    plain = name.removesuffix(".weight") if MAGNITUDE in name else name
    return PEFT_PREFIX + plain.removeprefix("trunk.").replace(".default", "")


def network_name(name: str) -> str:
    """The inverse of `peft_name`: the adapter's own name comes back behind each of its parts."""
    if name == VIRTUAL_IN_PEFT:
        return VIRTUAL
    whole = f"{name}.weight" if name.endswith(MAGNITUDE) else name
    return INSERTED.sub(r".\1.default", "trunk." + whole.removeprefix(PEFT_PREFIX))
