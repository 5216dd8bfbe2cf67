"""Accordeur: tries every way of adapting a language model on the same rows, and says which to use, or none."""

from __future__ import annotations

import importlib
import os
from typing import Any

# Set before any library is imported: nothing is reported to anybody.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# PyTorch and oneDNN keep a thousand products by their shapes, which costs a gigabyte where every batch has another shape.
os.environ.setdefault("LRU_CACHE_CAPACITY", "64")
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")

__version__ = "0.1.0"

PUBLIC = {
    "AdaptedModel": "adapted",
    "Base": "base",
    "Context": "context",
    "Example": "example",
    "Method": "method",
    "Recipe": "recipe",
    "Run": "run",
    "Task": "task",
    "find_base": "base",
    "load_recipe": "recipe",
    "open_many": "models.many",
    "reopen": "adapted",
}
__all__ = ["__version__", *PUBLIC]


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for, so that `import accordeur` stays light."""
    if name not in PUBLIC:
        raise AttributeError(f"module 'accordeur' has no attribute {name!r}")
    return getattr(importlib.import_module(f"accordeur.{PUBLIC[name]}"), name)
