"""A trained run as a plain transformers folder, proved by replaying rows through both."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from accordeur.adapted import MODEL_FILE, FloatArray, reopen
from accordeur.base import Base, open_base
from accordeur.errors import DataError, ModelError, NotApplicable, RecipeError
from accordeur.example import IGNORED, Encoded, Example
from accordeur.models._surgery import Surgery
from accordeur.models._writing import answer_limit, written_ids
from accordeur.models.grown import Grown
from accordeur.models.moved import Moved, build_network
from accordeur.run import MODEL_FOLDER
from accordeur.store import read_json, sealed_folder, write_json
from accordeur.tasks import kind_of
from accordeur.training.batches import collate
from accordeur.training.libraries import before_peft
from accordeur.training.vocabulary import logit_tiles

REPLAYED = 32  # test rows
TOLERANCE = 2e-4  # largest difference of logits, as a share of the largest logit: float32 sums in another order
ROUNDINGS = 4  # or, where a base makes much of little, so many times what one rounding of its own weights does
MERGEABLE = ("lora", "ia3", "all", "top", "biases", "head")
UNMERGEABLE = "adds layers or inputs that no plain weight can hold"
COMPANIONS = (".json", ".txt", ".model", ".jinja")
WRITTEN_ANEW = ("config.json", "generation_config.json", "model.safetensors.index.json", "manifest.json", MODEL_FILE)


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What came out: the folder, how many rows agreed, and the largest difference of a logit."""

    folder: Path
    rows: int
    largest_difference: float


def merge(run: Path, out: Path, examples: Sequence[Example]) -> Merged:
    """Writes the run's model with everything that moved inside its weights; a head goes beside them.

    The folder opens with plain transformers, as `--base`, and with `reopen`. The examples (at most 32) are answered
    before and after: labels and greedily written tokens must be equal and logits agree, else ModelError, and no folder.
    """
    folder = run / MODEL_FOLDER if (run / MODEL_FOLDER).is_dir() else run
    before, moving = opened(folder), opened(folder)
    rows = examples[:REPLAYED]
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RecipeError(f"{out} exists and is not empty", hint="choose another --out")
    if not rows:
        raise DataError("no row to replay", hint="merging is only done where it can be checked")
    melt(moving.network.trunk)
    with sealed_folder(out) as staging:
        write_merged(moving, staging)
        after = reopened(staging, moving)
        difference = check(before, after, rows)
        after.save(staging)
        described = read_json(staging / MODEL_FILE)
        write_json(staging / MODEL_FILE, {**described, "base": {**described["base"], "name": out.name, "folder": "."}})
    return Merged(folder=out, rows=len(rows), largest_difference=difference)


def opened(folder: Path) -> Moved:
    """The model, where it is of a sort that can be merged; of `domain+lora` what was trained on the grown base."""
    model = reopen(folder)
    model = model.inner if isinstance(model, Grown) else model
    if not isinstance(model, Moved):
        raise ModelError(f"{folder} moved no weights: there is nothing to merge", hint="only trained weights can be merged")
    if model.surgery.name not in MERGEABLE:
        why = "has its base in few bits, which no plain weight holds" if model.surgery.name == "qlora" else UNMERGEABLE
        raise ModelError(
            f"{folder}: {model.surgery.name} {why}",
            hint=f"only these can be merged: {', '.join(MERGEABLE)}",
        )
    return model


@torch.no_grad()
def melt(trunk: Any) -> None:
    """Adds every adapter into the weight it stands beside, and takes it out."""
    before_peft()
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [(name, module) for name, module in trunk.named_modules() if isinstance(module, BaseTunerLayer)]
    for name, layer in layers:
        layer.merge(safe_merge=True)
        parent, _, own = name.rpartition(".")
        setattr(trunk.get_submodule(parent), own, layer.get_base_layer())
    if layers:
        del trunk.peft_config


def write_merged(model: Moved, folder: Path) -> None:
    """The merged model as a plain folder."""
    write_folder(model.network.trunk, model.base.path, folder)


def write_folder(trunk: Any, source: Path, folder: Path) -> None:
    """Weights and configuration as transformers writes them; tokenizer and pooling files as the source has them."""
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix in COMPANIONS and path.name not in WRITTEN_ANEW:
            (folder / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / path.relative_to(source))
    for path in source.glob("*/config.json"):  # of the pooling: no weights, though of the same name
        (folder / path.parent.name).mkdir(exist_ok=True)
        shutil.copyfile(path, folder / path.relative_to(source))
    trunk.save_pretrained(folder)


def reopened(folder: Path, model: Moved) -> Moved:
    """The merged folder as a base, with the head that was beside."""
    base: Base = open_base(folder, folder.name)
    surgery = Surgery(name="head")
    network = build_network(model.task, base, surgery, pooling=model.network.pooling)
    if network.head is not None:
        network.head.load_state_dict(model.network.head.state_dict())  # type: ignore[union-attr]
    return Moved(model.task, base, network, surgery, model.device, facts=model.facts())


def check(before: Moved, after: Moved, rows: Sequence[Example]) -> float:
    """The largest difference of a logit. ModelError where the two don't agree; `before` is used up."""
    items = before.items(rows)
    ours, theirs = [logits(before, item) for item in items], [logits(after, item) for item in after.items(rows)]
    different = [row.id for row, one, two in zip(rows, said(before, rows), said(after, rows), strict=True) if one != two]
    largest = farthest(ours, theirs)
    allowed = TOLERANCE * max(float(np.abs(one).max(initial=0.0)) for one in ours) + 1e-6
    if not different and largest > allowed:
        nudge(before.network.trunk)
        allowed = max(allowed, ROUNDINGS * farthest(ours, [logits(before, item) for item in items]))
    if different or not largest <= allowed:
        raise ModelError(
            f"the merged model does not answer as before: {len(different)} of {len(rows)} rows differ"
            f"{' (' + ', '.join(different[:5]) + ')' if different else ''}, the largest logit difference is {largest:.3g}",
            hint="nothing was written; the run itself is as it was",
        )
    return largest


def farthest(ours: Sequence[FloatArray], theirs: Sequence[FloatArray]) -> float:
    """The largest difference between two tables of numbers; not a number where one of them is."""
    return float(np.max([np.abs(one - two).max(initial=0.0) for one, two in zip(ours, theirs, strict=True)]))


@torch.no_grad()
def nudge(trunk: Any) -> None:
    """Puts every weight off by one rounding, up or down by lot."""
    draw = torch.Generator().manual_seed(0)
    for weight in trunk.parameters():
        if weight.is_floating_point():
            signs = torch.randint(0, 2, weight.shape, generator=draw).to(weight.device) * 2 - 1
            weight.mul_(1 + signs * torch.finfo(weight.dtype).eps)


@torch.no_grad()
def logits(model: Moved, item: Encoded) -> FloatArray:
    """All logits of one item: of the head, or of the vocabulary at the places of the answer."""
    network = model.network.eval()
    batch = collate([item], model.codec.pad, network.device)
    if network.head is not None:
        return np.asarray(network.logits(batch).cpu().numpy(), np.float32)
    if batch.targets is None or not bool((batch.targets != IGNORED).any()):
        return np.zeros((0, 0), np.float32)
    hidden_NH, _, head = network.labelled(batch)
    tiles = [tile.cpu().numpy() for tile, _ in logit_tiles(head, head.prepared(hidden_NH))]
    return np.asarray(np.concatenate(tiles), np.float32)


def said(model: Moved, rows: Sequence[Example]) -> Sequence[Any]:
    """Labels, or the token ids that are written greedily; grades and likelihoods are compared by their logits alone."""
    network, task = model.network, model.task
    if network.form == "score" or not kind_of(task.kind).answers:
        return [None] * len(rows)
    if network.head is not None:
        return [prediction.output for prediction in model.predict(rows)]
    try:
        prompts = model.prompts(rows)
    except NotApplicable:
        return [None] * len(rows)
    return written_ids(network.trunk, prompts, model.codec, model.device, answer_limit(model.facts()))
