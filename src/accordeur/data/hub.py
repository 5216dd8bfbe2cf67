"""A dataset of the hub as files of our own: fetched only where somebody names it, then read and checked like any other file."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accordeur.data.sniff import suffix_format
from accordeur.errors import DataError, ModelError, RecipeError
from accordeur.store import explained

PREFIX = "hub:"
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
RECIPE_SUFFIXES = (".yaml", ".yml")
PARTS: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test",),
}
NO_LABEL = -1  # how the hub marks rows whose label is kept secret
COPIES = Path("~/.cache/accordeur/datasets").expanduser()  # where fetched rows are kept as files
OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")


@dataclass(frozen=True, kw_only=True)
class HubCopy:
    """The splits of a hub dataset as files, and what is worth showing about them."""

    train: Path
    validation: Path | None
    test: Path | None
    notes: tuple[str, ...]


def hub_name(data: str) -> tuple[str, str | None] | None:
    """(id, configuration) where `data` names a hub dataset: `hub:org/name[:config]`, or `org/name` that nothing local is called.

    `org/name` is local where such a path exists, where the folder `org` does, or where it ends like a file of data.
    Raises RecipeError for `hub:` before something else.
    """
    if data.startswith(PREFIX):
        name, _, config = data.removeprefix(PREFIX).partition(":")
        if not NAME.fullmatch(name) or (":" in data.removeprefix(PREFIX) and not config):
            raise RecipeError(f"{data[:120]!r} names no hub dataset", hint="expected hub:org/name, or hub:org/name:configuration")
        return name, config or None
    local = Path(data).exists() or Path(data.partition("/")[0]).exists()
    file = suffix_format(data) is not None or data.lower().endswith(RECIPE_SUFFIXES)
    return None if local or file or not NAME.fullmatch(data) else (data, None)


def hub_copy(data: str, folder: Path) -> HubCopy:
    """Fetches a dataset (or takes it from the library's cache) and writes its splits as JSON lines below `folder`.

    Raises ModelError where the hub can't be reached or has no such dataset, RecipeError where a configuration must be
    chosen, DataError for splits or cells that can't be used.
    """
    named = hub_name(data)
    if named is None:
        raise RecipeError(f"{data[:120]!r} names no hub dataset", hint="expected hub:org/name")
    splits = fetched(*named)
    place = folder / "--".join(re.sub(r"[^\w.-]", "-", part) for part in (*named[0].split("/"), named[1] or "default"))
    parts, notes = chosen(splits, data)
    files = {part: written(place / f"{part}.jsonl", splits[name], data) for part, name in parts.items()}
    return HubCopy(train=files["train"], validation=files.get("validation"), test=files.get("test"), notes=notes)


def load(name: str, config: str | None) -> Any:
    """The splits by name, from the library; nothing of a dataset is ever run. The library honours HF_HUB_OFFLINE."""
    import datasets

    return datasets.load_dataset(name, config)


def fetched(name: str, config: str | None) -> Mapping[str, Any]:
    """The same, with every refusal in words."""
    try:
        return load(name, config)  # type: ignore[no-any-return]
    except ValueError as fault:
        if "onfig" not in str(fault):
            raise unreachable(name, fault) from fault
        line = " ".join(str(fault).split())[:400]
        raise RecipeError(f"hub dataset {name}: {line}", hint=f"choose one: hub:{name}:CONFIGURATION") from fault
    except Exception as fault:  # the library, its transport and its file formats each have errors of their own
        raise unreachable(name, fault) from fault


def unreachable(name: str, fault: Exception) -> ModelError:
    """The error for a dataset that can't be had, with what to do about it."""
    offline = [variable for variable in OFFLINE if os.environ.get(variable, "").upper() in ("1", "TRUE", "YES", "ON")]
    said = " ".join(str(fault).split())[:300]
    if offline:
        hint = f"{offline[0]} is set, and the dataset is not in the local cache; unset it, or give a file"
    elif type(fault).__name__ in ("DatasetNotFoundError", "FileNotFoundError"):
        hint = "check the id; a private one needs HF_TOKEN; a file of that name does not exist here either"
    else:
        hint = "check the network; or fetch the dataset elsewhere and give its files"
    return ModelError(f"hub dataset {name} can't be had: {type(fault).__name__}: {said}", hint=hint)


def chosen(splits: Mapping[str, Any], data: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """(our part -> split of the hub, notes): a dataset of one split is divided by us; splits without labels are left aside."""
    names = [str(name) for name in splits]
    found = {part: name for part, known in PARTS.items() for name in [next((one for one in known if one in names), None)] if name}
    if "train" not in found and len(names) == 1:
        found = {"train": names[0]}
    if "train" not in found:
        raise DataError(
            f"no split to train on; the splits are {', '.join(names) or 'none'}", where=data, hint="give files instead"
        )
    secret = [part for part, name in found.items() if part != "train" and unlabelled(splits[name])]
    kept = {part: name for part, name in found.items() if part not in secret}
    aside = [name for name in names if name not in kept.values()]
    notes = [
        f"hub dataset {data.removeprefix(PREFIX)}: {', '.join(f'{part} from split {name!r}' for part, name in kept.items())}"
    ]
    notes += [f"split {found[part]!r} left aside: its labels are not public" for part in secret]
    others = [name for name in aside if name not in [found[part] for part in secret]]
    return kept, (*notes, *([f"other splits left aside: {', '.join(others)}"] if others else []))


def class_names(split: Any) -> dict[str, list[str]]:
    """Columns that hold numbers of classes, or lists of these, with the names of the classes."""
    inner = {column: getattr(feature, "feature", feature) for column, feature in split.features.items()}
    return {column: list(names) for column, feature in inner.items() if (names := getattr(feature, "names", None))}


def unlabelled(split: Any) -> bool:
    """Whether a column of classes has none in any row."""
    return any(len(split) and all(value == NO_LABEL for value in split[column]) for column in class_names(split))


def written(path: Path, split: Iterable[Mapping[str, Any]], data: str) -> Path:
    """One row a line; the file is whole or not there. Numbers of classes become their names; text stays text."""
    classes = class_names(split)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".jsonl")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream, explained(path):
            for number, row in enumerate(split, start=1):
                stream.write(line(row, classes, f"{data} row {number}") + "\n")
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)
    return path


def line(row: Mapping[str, Any], classes: Mapping[str, list[str]], where: str) -> str:
    """A row as JSON. Raises DataError for a cell that is neither text, number, true/false, nor a list or group of these."""
    values = {column: named(value, classes.get(column)) for column, value in row.items()}
    try:
        return json.dumps(values, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as fault:
        hint = "pictures, sounds and dates can't be read; choose another configuration, or give a file with text columns"
        raise DataError(f"a cell that is not plain text or numbers: {str(fault)[:200]}", where=where, hint=hint) from fault


def named(value: Any, names: list[str] | None) -> Any:
    """The name of a class, or of each in a list; other values, and rows without a class, as they are."""
    if names and isinstance(value, list):
        return [named(each, names) for each in value]
    return names[value] if names and isinstance(value, int) and 0 <= value < len(names) else value
