"""What saved models have in common: the task's frame and the pointer to the base, written and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from accordeur.base import Base, find_base, open_base
from accordeur.errors import ModelError
from accordeur.task import Task


def plain_task(task: Task) -> dict[str, Any]:
    """A task's frame as JSON-ready data."""
    frame = task.frame()
    return {field.name: getattr(frame, field.name) for field in fields(Task)}


def read_task(values: Mapping[str, Any]) -> Task:
    """The frame back from JSON."""
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return Task(**plain)


def plain_base(base: Base) -> dict[str, Any]:
    """A pointer to a base as JSON-ready data, with the fingerprint of its weights."""
    return {
        "name": base.name,
        "family": base.family,
        "folder": str(base.folder.resolve()) if base.folder else None,
        "fingerprint": base.fingerprint,
    }


def read_base(values: Mapping[str, Any], override: Base | None = None, beside: Path | None = None) -> Base:
    """The base a model was saved with; another base of the same shape is refused, naming both.

    A base that was saved along with the model is named relative to the model's folder, `beside`.
    """
    if override is not None:
        base = override
    elif beside is not None and values["folder"] and not Path(values["folder"]).is_absolute():
        base = open_base((beside / values["folder"]).resolve(), values["name"])
    elif values["folder"] and Path(values["folder"]).is_dir():
        base = open_base(Path(values["folder"]), values["name"])
    else:
        base = find_base(values["name"])
    if base.fingerprint != values["fingerprint"]:
        raise ModelError(
            f"this model was adapted from base {values['name']} ({values['fingerprint']}), "
            f"found {base.name} ({base.fingerprint})",
            hint="open it with the base it was made from",
        )
    return base
