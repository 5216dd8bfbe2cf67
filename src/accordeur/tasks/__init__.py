"""Kinds of task, one file each: how rows are encoded for each family of base, what is asked, what is measured."""

from __future__ import annotations

import importlib

from accordeur.tasks._codec import Codec
from accordeur.tasks._kind import Kind, Metric

AS_TEXT = " as text"

__all__ = ["Codec", "Kind", "Metric", "kind_of"]


def kind_of(name: str) -> Kind:
    """The kind by its name: the object KIND of the file of that name; `tag as text` is `tag`, asked and answered in words."""
    if name.endswith(AS_TEXT):
        spoken: Kind = importlib.import_module("accordeur.tasks._spoken").KINDS[name]
        return spoken
    kind: Kind = importlib.import_module(f"accordeur.tasks.{name}").KIND
    return kind
