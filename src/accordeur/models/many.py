"""Several adapted models on one loaded base: each keeps only what moved, and answers as it does alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accordeur.adapted import MODEL_FILE, Prediction
from accordeur.base import Base
from accordeur.errors import ModelError, RecipeError
from accordeur.example import Example
from accordeur.models._saved import read_base, read_task
from accordeur.models._surgery import Surgery
from accordeur.models.kept import own_what_moves, twin
from accordeur.models.moved import WRITTEN, Moved, build_network, fill
from accordeur.plan import DevicePlan
from accordeur.run import MODEL_FOLDER
from accordeur.store import read_json, verify
from accordeur.tasks import kind_of
from accordeur.training.device import plan_device
from accordeur.training.quantised import Bits, quantise
from accordeur.training.trainable import stack_of

Trunks = dict[tuple[bool, str], Any]  # by language head or none, and by the form and bits of a quantised one


class Many:
    """Models by the names of their runs. All tensors that did not move are the same ones in memory."""

    def __init__(self, models: Mapping[str, Moved]) -> None:
        self.models = dict(models)

    def predict(self, examples: Sequence[Example], names: Sequence[str]) -> list[Prediction]:
        """One prediction per example by the model named for it; rows of one model go through it together, in their order."""
        unknown = sorted(set(names) - set(self.models))
        if unknown:
            raise RecipeError(f"no model {unknown[0]!r} is open", hint=f"open: {', '.join(self.models)}")
        rows: dict[str, list[int]] = {}
        for row, name in zip(range(len(examples)), names, strict=True):
            rows.setdefault(name, []).append(row)
        answered: dict[int, Prediction] = {}
        for name, places in rows.items():
            found = self.models[name].predict([examples[place] for place in places])
            answered.update(zip(places, found, strict=True))
        return [answered[row] for row in range(len(examples))]

    def bytes(self) -> int:
        """Memory of all tensors, those that are shared once."""
        models = [model.network for model in self.models.values()]
        tensors = [tensor for network in models for tensor in (*network.parameters(), *network.buffers())]
        return sum({tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}.values())


def open_many(folders: Sequence[Path | str], base: Base | None = None, device: DevicePlan | None = None) -> Many:
    """Opens runs (or their model folders) that were adapted from one base, which is loaded once.

    Raises ModelError where a folder is damaged, was adapted from another base, or holds no moved weights.
    """
    trunks: Trunks = {}
    models: dict[str, Moved] = {}
    for given in [Path(folder) for folder in ([folders] if isinstance(folders, str) else folders)]:
        folder, described = described_in(given)
        name = given.name if given.name != MODEL_FOLDER else given.parent.name
        if name in models:
            raise RecipeError(f"two runs are called {name!r}", hint="copy one of them to a folder of another name")
        base = read_base(described["base"], base, folder)
        models[name] = open_on(base, trunks, folder, described, device or plan_device())
    if not models:
        raise RecipeError("no run was named", hint="give the folders of one or more runs")
    return Many(models)


def described_in(given: Path) -> tuple[Path, dict[str, Any]]:
    """(the model's folder, its description), after every file was checked."""
    folder = given / MODEL_FOLDER if (given / MODEL_FOLDER).is_dir() else given
    verify(folder)
    described: dict[str, Any] = read_json(folder / MODEL_FILE)
    if described.get("model") != "moved":
        raise ModelError(
            f"{folder} holds a model of type {described.get('model')!r}; expected weights that moved on a base that others share",
            hint="open it alone, with reopen",
        )
    return folder, described


def open_on(base: Base, trunks: Trunks, folder: Path, described: Mapping[str, Any], device: DevicePlan) -> Moved:
    """One model on a twin of the loaded trunk; only what it moved takes memory of its own."""
    task, surgery = read_task(described["task"]), Surgery(**described["surgery"])
    trunk = twin(shared(base, trunks, kind_of(task.kind).form(base.family, task), surgery, device))
    network = build_network(task, base, surgery, pooling=described["network"]["pooling"], trunk=trunk)
    own_what_moves(network)
    fill(network, surgery, folder, described)
    return Moved(task, base, network, surgery, device, facts=described["facts"])


def shared(base: Base, trunks: Trunks, form: str, surgery: Surgery, device: DevicePlan) -> Any:
    """The trunk on its device, loaded at first use; for qlora with its few bits, so that these too are in memory once."""
    written = form in WRITTEN
    bits: Bits | None = surgery.settings.get("bits", "nf4") if surgery.name == "qlora" else None
    key = (written, f"{form} in {bits}" if bits else "")
    if key not in trunks:
        trunks[key] = base.load(language_head=written)[0].to(device.device)
        if bits:
            quantise(trunks[key], stack_of(trunks[key], form), bits)
    return trunks[key]
