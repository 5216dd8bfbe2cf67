"""How a network is prepared before it moves: which parts may, what is put in, and the ecosystem's format for it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from accordeur.base import Base
from accordeur.errors import ModelError, NotApplicable
from accordeur.store import write_json
from accordeur.training import trainable
from accordeur.training.network import Network

ADAPTER_FILE = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
PEFT_PREFIX = "base_model.model."


@dataclass(frozen=True, kw_only=True)
class Surgery:
    """The name of a preparation and its settings, JSON-ready: enough to repeat it on a fresh base."""

    name: str  # "all", "top", "lora"
    settings: dict[str, Any] = field(default_factory=dict)

    def load_ecosystem(self, folder: Path) -> dict[str, Tensor]:
        """Tensors kept in the ecosystem's format, under the network's own names."""
        if self.name != "lora":
            return {}
        found = load_file(folder / ADAPTER_FILE)
        return {network_name(name): tensor for name, tensor in found.items()}


def operate(network: Network, surgery: Surgery) -> Any:
    """Repeats a preparation on a fresh network; afterwards only what should move can."""
    if surgery.name == "all":
        return network.requires_grad_(True)
    if surgery.name == "top":
        return trainable.unfreeze_top(network, **surgery.settings)
    if surgery.name == "lora":
        try:
            return trainable.lora(network, **surgery.settings)
        except ValueError as fault:
            raise NotApplicable(f"no layer of this base takes a LoRA: {fault}") from fault
    raise ModelError(f"unknown preparation {surgery.name!r}: it was saved by another version")


def save_ecosystem(folder: Path, network: Network, surgery: Surgery, base: Base) -> set[str]:
    """Writes adapters the way peft reads them; returns the names of the tensors that are thereby kept."""
    if surgery.name != "lora":
        return set()
    tensors = {name: tensor for name, tensor in trainable.moved_tensors(network).items() if "lora_" in name}
    named = {peft_name(name): tensor.cpu().contiguous() for name, tensor in tensors.items()}
    save_file(named, folder / ADAPTER_FILE, metadata={"format": "pt"})
    config = next(iter(network.trunk.peft_config.values())).to_dict()
    plain = json.loads(json.dumps(config, default=lambda value: sorted(value) if isinstance(value, set) else str(value)))
    write_json(folder / ADAPTER_CONFIG, {**plain, "base_model_name_or_path": str(base.folder or base.name), "inference_mode": True})
    return set(tensors)


def peft_name(name: str) -> str:
    """`trunk.h.0.attn.c_attn.lora_A.default.weight` as peft spells it in a file."""
    return PEFT_PREFIX + name.removeprefix("trunk.").replace(".default", "")


def network_name(name: str) -> str:
    """The inverse of `peft_name`: the adapter's own name comes back behind each of its parts."""
    return re.sub(r"\.(lora_[A-Za-z_]+)", r".\1.default", "trunk." + name.removeprefix(PEFT_PREFIX))
