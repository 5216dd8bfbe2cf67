"""bitsandbytes as it is imported here: without the compiled code that it would fetch from a hub while it is imported."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from types import ModuleType
from typing import Any, cast

FETCHER = "kernels"  # the package through which compiled code comes from a hub
TELLER = "bitsandbytes.backends.cpu.ops"  # warns that nothing was fetched


def bitsandbytes() -> Any:
    """The library, or None where it isn't installed.

    On some processors its import asks `kernels`, where that is installed, to download and run code that nobody here asked
    for. peft imports it too: `before_peft`.
    """
    if importlib.util.find_spec("bitsandbytes") is None:
        return None
    logger = logging.getLogger(TELLER)
    before, level = sys.modules.get(FETCHER), logger.level
    sys.modules[FETCHER] = cast(ModuleType, None)  # an import of it now fails
    logger.setLevel(logging.ERROR)
    try:
        return importlib.import_module("bitsandbytes")
    finally:
        logger.setLevel(level)
        del sys.modules[FETCHER]
        if before is not None:
            sys.modules[FETCHER] = before


def before_peft() -> None:
    """To be called before any import of peft, which imports bitsandbytes where it is installed."""
    bitsandbytes()
