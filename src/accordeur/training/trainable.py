"""What may move: freezing, unfreezing, low-rank adapters, and the list of what then moves."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from accordeur.errors import NotApplicable
from accordeur.training.libraries import before_peft

TARGETS: dict[str, list[str]] = {  # which layers get an adapter, by model family; all linear layers for the others
    "gpt2": ["c_attn"],
    "bert": ["query", "value"],
    "roberta": ["query", "value"],
    "xlm-roberta": ["query", "value"],
    "camembert": ["query", "value"],
    "electra": ["query", "value"],
    "distilbert": ["q_lin", "v_lin"],
    "t5": ["q", "v"],
    "mt5": ["q", "v"],
}
ALL_LINEAR = "all-linear"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Numbers of parameters, shared ones counted once."""

    moving: int
    total: int


def freeze_all(network: nn.Module) -> None:
    """Nothing moves."""
    network.requires_grad_(False)


def unfreeze(network: nn.Module, chosen: Sequence[str] | Callable[[str], bool]) -> int:
    """Lets parameters move: all whose name starts with one of `chosen`, or for which it holds. Returns how many numbers.

    Raises ValueError where nothing matches: a misspelt name must not train nothing in silence.
    """
    if callable(chosen):
        matches = chosen
    else:
        prefixes = tuple(chosen)
        matches = lambda name: name.startswith(prefixes)  # noqa: E731
    found = [parameter for name, parameter in network.named_parameters() if matches(name)]
    if not found:
        raise ValueError(f"no parameter matches {chosen!r}; the network has {[name for name, _ in network.named_children()]}")
    for parameter in found:
        parameter.requires_grad_(True)
    return sum(parameter.numel() for parameter in found)


def blocks(trunk: nn.Module) -> list[tuple[str, nn.Module]]:
    """The repeated blocks of a trunk, bottom to top, with their names: the longest list of modules that is in no other list."""
    lists = {name: module for name, module in trunk.named_modules() if isinstance(module, nn.ModuleList)}
    outer = [name for name in lists if not any(name.startswith(f"{other}.") for other in lists)]
    if not outer:
        raise NotApplicable(f"{type(trunk).__name__} has no list of blocks")
    name = max(outer, key=lambda name: len(lists[name]))
    longest = lists[name]
    return [(f"{name}.{place}", block) for place, block in enumerate(longest)]


def stack(network: Any) -> list[str]:
    """Names of the blocks that a network goes through, bottom to top."""
    return stack_of(network.trunk, network.form)


def stack_of(trunk: Any, form: str) -> list[str]:
    """Names of the blocks that a form goes through, bottom to top; of an encoder-decoder both halves, or the encoder alone."""
    if not trunk.config.is_encoder_decoder:
        return [name for name, _ in blocks(trunk)]
    halves = [trunk.get_encoder(), *([trunk.get_decoder()] if form == "seq2seq" else [])]
    places = {id(module): name for name, module in trunk.named_modules()}
    return [f"{places[id(half)]}.{name}" for half in halves for name, _ in blocks(half)]


def unfreeze_top(network: Any, layers: int, trunk_dropout: Literal["off", "keep"] = "off") -> int:
    """Lets the head and the topmost blocks of the trunk move, and a final norm where there is one. Returns how many numbers.

    The dropout of what stays frozen is off unless kept: so what comes out of it is the same in every epoch.
    """
    names = stack(network)
    if not 0 < layers <= len(names):
        raise ValueError(f"layers = {layers}: expected 1 to {len(names)}, the blocks of this base")
    stem = names[-1].rpartition(".")[0]
    above = final_norms(network.trunk, stem)
    moving = [f"{name}." for name in [*names[-layers:], *above]]
    if trunk_dropout == "off":
        for name, module in network.trunk.named_modules():
            if not f"{name}.".startswith(tuple(moving)):
                silence(module)
    freeze_all(network)
    return unfreeze(network, ["head.", *(f"trunk.{name}" for name in moving)])


def final_norms(trunk: nn.Module, stem: str) -> list[str]:
    """Names of the norms that follow the list of blocks; BART's norm of the embeddings, defined there too, comes before it."""
    parent = stem.rpartition(".")[0]
    siblings = (
        [name for name, _ in trunk.get_submodule(parent).named_children()] if parent else list(dict(trunk.named_children()))
    )
    after = siblings[siblings.index(stem.rpartition(".")[2]) + 1 :]
    prefix = f"{parent}." if parent else ""
    norms = [name for name in after if "norm" in type(trunk.get_submodule(prefix + name)).__name__.lower()]
    return [prefix + name for name in norms if "embed" not in name]


def unfreeze_biases(network: Any) -> int:
    """Lets the head and every bias of the trunk move (BitFit, Ben Zaken et al. 2022). Returns how many numbers.

    Raises ValueError where the trunk has none, as in T5 and Llama.
    """
    freeze_all(network)
    biases = unfreeze(network, lambda name: name.startswith("trunk.") and name.endswith(".bias"))
    if network.head is None:
        return biases
    return biases + unfreeze(network, ["head."])


def lora(
    network: Any,
    rank: int = 8,
    alpha: float = 16.0,
    dropout: float = 0.0,
    targets: Sequence[str] | str | None = None,
    trunk_dropout: Literal["off", "keep"] = "off",
    **options: Any,
) -> Any:
    """Puts low-rank adapters (Hu et al. 2022) into the trunk, in place: only they and the head move. Returns peft's config.

    targets: names of layers, "all-linear", or None for the table above. trunk_dropout: a frozen trunk's own dropout
    only costs time, so it is off unless kept. `options` go to peft's LoraConfig (use_dora, use_rslora, ...).
    The adapters' start depends on the network's seed alone.
    """
    before_peft()
    from peft import LoraConfig, inject_adapter_in_model

    family = network.trunk.config.model_type
    if targets is None:
        targets = TARGETS.get(family, ALL_LINEAR)
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        fan_in_fan_out=family == "gpt2",
        **options,
    )
    if trunk_dropout == "off":
        silence_dropout(network.trunk)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(network.seed)
        inject_adapter_in_model(config, network.trunk)
    return config


def silence_dropout(trunk: nn.Module) -> None:
    """Sets every dropout of the trunk to 0 (adapters put in later keep theirs)."""
    for name, module in trunk.named_modules():
        if "lora_" not in name:
            silence(module)


def silence(module: nn.Module) -> None:
    """Sets the dropout of this very module to 0."""
    if isinstance(module, nn.Dropout):
        module.p = 0.0
    for attribute in dropout_shares(module):
        setattr(module, attribute, 0.0)


def dropout_shares(module: nn.Module) -> list[str]:
    """Names of the attributes by which a module drops something, with a share above 0."""
    return [name for name, value in vars(module).items() if "drop" in name and isinstance(value, float) and value > 0]


def active_dropout(trunk: nn.Module) -> list[str]:
    """Names of the modules that would drop something in training."""
    return [
        name
        for name, module in trunk.named_modules()
        if (isinstance(module, nn.Dropout) and module.p > 0) or dropout_shares(module)
    ]


def moved_tensors(network: nn.Module) -> dict[str, Tensor]:
    """What moves, by name: the tensors themselves, shared ones once."""
    return {name: parameter.data for name, parameter in network.named_parameters() if parameter.requires_grad}


def load_moved(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Writes saved values into what moves, in place. Raises ValueError where names or shapes differ."""
    own = dict(network.named_parameters())
    wrong = [name for name, value in tensors.items() if name not in own or own[name].shape != value.shape]
    if wrong:
        raise ValueError(f"tensors that don't fit this network: {', '.join(wrong[:5])}")
    with torch.no_grad():
        for name, value in tensors.items():
            own[name].copy_(value)


def count(network: nn.Module) -> Counts:
    """How much moves out of how much."""
    parameters = list(network.parameters())
    return Counts(moving=sum(p.numel() for p in parameters if p.requires_grad), total=sum(p.numel() for p in parameters))
