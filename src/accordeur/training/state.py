"""The exact state of a training run on disk: whole and verified, or not there. No pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from accordeur.errors import ModelError
from accordeur.example import Encoded
from accordeur.plan import TrainingPlan
from accordeur.store import fingerprint, read_json, recover, sealed_folder, verify, write_json
from accordeur.training import randomness
from accordeur.training.settings import TrainingSettings
from accordeur.training.tokens import data_digest
from accordeur.training.trainable import load_moved, moved_tensors

CHECKPOINT = "checkpoint"
SAMPLE = 64  # numbers of each weight that go into the fingerprint


@dataclass(kw_only=True)
class Progress:
    """Where a run stands: everything that isn't a tensor."""

    step: int = 0
    tokens: int = 0
    best_step: int = 0
    best_score: float | None = None
    worse: int = 0  # evaluations since the best one
    seconds: float = 0.0  # spent before this process took over
    loss: float = 0.0  # summed over the steps since the last point of the curve
    loss_steps: int = 0
    skipped: int = 0  # steps an fp16 scaler skipped
    scale: float = 65536.0  # of the loss, in fp16 only
    fitting: int = 0  # steps since the scale last changed
    micro_tokens: int = 0  # the token budget of a pass, once memory forced it below the plan's
    checkpointing: bool = False  # activations are recomputed, once memory forced it
    read_back: bool = False  # frozen blocks are not run but read back
    stopped: str = ""
    curve: list[dict[str, Any]] = field(default_factory=list)


@dataclass(kw_only=True)
class Session:
    """A run in memory: what moves, its optimizer, the best weights so far, and the progress."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    progress: Progress
    best: dict[str, Tensor] = field(default_factory=dict)


def identity(network: nn.Module, items: Sequence[Encoded], settings: TrainingSettings, plan: TrainingPlan, seed: int) -> str:
    """A name for this very run: a checkpoint of any other run is not resumed."""
    weights = [
        [name, list(p.shape), str(p.dtype), p.requires_grad, p.detach().flatten()[:SAMPLE].double().cpu().tolist()]
        for name, p in network.named_parameters()
    ]
    planned = {name: value for name, value in plan.plain().items() if name in ("steps", "batch_rows", "evaluate_every")}
    return fingerprint([weights, data_digest(items), asdict(settings), planned, seed])


def save(session: Session, folder: Path, name: str) -> None:
    """Writes the state atomically as folder/checkpoint; `name` is the identity of the run."""
    random_tensors, random_plain = randomness.capture()
    optimizer_tensors, optimizer_plain = split_state(session.optimizer)
    tensors = {
        **prefixed("moved/", moved_tensors(session.network)),
        **prefixed("best/", session.best),
        **prefixed("optimizer/", optimizer_tensors),
        **prefixed("random/", random_tensors),
    }
    plain = {"progress": asdict(session.progress), "optimizer": optimizer_plain, "random": random_plain}
    folder.mkdir(parents=True, exist_ok=True)
    with sealed_folder(folder / CHECKPOINT, identity=name, step=session.progress.step) as staging:
        save_file(
            {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}, staging / "state.safetensors"
        )
        write_json(staging / "state.json", plain)


def load(session: Session, folder: Path, name: str) -> str:
    """Puts a saved state back, bit for bit. Returns why not, in words, or "" (also where there is none: then step stays 0)."""
    place = folder / CHECKPOINT
    recover(place)
    if not place.exists():
        return ""
    try:
        manifest = verify(place)
        if manifest.get("identity") != name:
            return f"{place} belongs to another run (other data, settings, plan, seed or base): it is not resumed"
        tensors = read_tensors(place / "state.safetensors")
        plain = read_json(place / "state.json")
    except ModelError as fault:
        return f"the checkpoint is damaged, so the run starts again: {fault.message}"
    load_moved(session.network, without_prefix("moved/", tensors))
    session.best = without_prefix("best/", tensors)
    join_state(session.optimizer, without_prefix("optimizer/", tensors), plain["optimizer"])
    randomness.restore(without_prefix("random/", tensors), plain["random"])
    session.progress = Progress(**plain["progress"])
    return ""


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a safetensors file, in memory of its own."""
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118  (not a mapping)
    except Exception as fault:
        raise ModelError(f"{path} can't be read: {fault}") from fault


def split_state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimizer's state as tensors and JSON-ready numbers."""
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for place, values in optimizer.state_dict()["state"].items():
        for key, value in flat(values):
            if isinstance(value, Tensor):
                tensors[f"{place}/{key}"] = value
            elif value is None or isinstance(value, bool | int | float | str):
                numbers[f"{place}/{key}"] = value
            else:
                raise TypeError(f"optimizer state {key!r} of type {type(value).__name__} can't be saved")
    return tensors, {"numbers": numbers}


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The innermost values by their paths: bitsandbytes keeps what belongs to 8-bit moments in a mapping of its own."""
    for key, value in values.items():
        yield from flat(value, f"{prefix}{key}/") if isinstance(value, dict) else [(prefix + key, value)]


def join_state(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
    """Puts back what `split_state` took apart; the groups are those of the new optimizer, built from the same settings."""
    state: dict[int, dict[str, Any]] = {}
    for path, value in {**tensors, **plain["numbers"]}.items():
        place, *outer, key = path.split("/")
        values = state.setdefault(int(place), {})
        for name in outer:
            values = values.setdefault(name, {})
        values[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def forget(folder: Path) -> None:
    """Removes the checkpoint of a run that has been saved for good."""
    import shutil

    shutil.rmtree(folder / CHECKPOINT, ignore_errors=True)


def prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same with a prefix before every name."""
    return {prefix + name: tensor for name, tensor in tensors.items()}


def without_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those that have the prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
