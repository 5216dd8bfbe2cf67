"""One way of adapting a base to a task, and how methods are found: by their file names."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import RecipeError
from accordeur.task import Task


class Method(ABC):
    """One way of adapting. Subclasses are frozen keyword-only dataclasses of settings with defaults, no logic at birth."""

    height: ClassVar[int]  # its place on the ladder, cheapest first
    trained: ClassVar[bool]  # whether it fits anything on the train rows
    seeded: ClassVar[bool] = True  # whether another seed may give another model

    @abstractmethod
    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Adapts the base. Raises NotApplicable(reason): recorded as "skipped"."""


def method_names() -> tuple[str, ...]:
    """All methods, built-in (one file each) and third-party (entry points `accordeur.methods`), without importing them."""
    package = importlib.util.find_spec("accordeur.methods")
    folders = list(package.submodule_search_locations or []) if package else []
    own = [module.name.replace("_", "-") for module in pkgutil.iter_modules(folders) if not module.name.startswith("_")]
    return tuple(sorted({*own, *(point.name for point in entry_points(group="accordeur.methods"))}))


def find_method(name: str) -> type[Method]:
    """The class of a method by its name (`lora` is the one Method defined in `methods/lora.py`)."""
    require_known(name)
    for point in entry_points(group="accordeur.methods"):
        if point.name == name:
            found: type[Method] = point.load()
            return found
    module = importlib.import_module(f"accordeur.methods.{name.replace('-', '_')}")
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Method) and value.__module__ == module.__name__
    ]
    if len(own) != 1:
        raise RecipeError(f"{Path(str(module.__file__)).name} defines {len(own)} methods, expected exactly one")
    return own[0]


def build_method(name: str, settings: Mapping[str, Any] | None = None) -> Method:
    """A method with the given settings; unknown or wrong ones are refused, with the nearest known name.

    `x+y` is method x with y going on from what x made (`domain+lora`). Its settings are those of y and those that only x
    has; other settings of x stand in a mapping under its name.
    """
    given = {key.replace("-", "_"): value for key, value in (settings or {}).items()}
    first, plus, rest = name.partition("+")
    return chained(first, rest, given) if plus else built(name, given)


def chained(first: str, rest: str, given: Mapping[str, Any]) -> Method:
    """Method `first` with `rest` after it."""
    known = known_settings(first)
    if "then" not in known:
        raise RecipeError(f"nothing can go on from what {first!r} makes: {first}+{rest}", hint="`domain+lora` is possible")
    theirs = known_settings(rest.partition("+")[0])
    apart = given.get(first, {})
    if not isinstance(apart, Mapping):
        raise RecipeError(f"settings of method '{first}+{rest}': {first}: expected a mapping of settings, found {apart!r}")
    own = {key: value for key, value in given.items() if key in known and key not in theirs}
    then = build_method(rest, {key: value for key, value in given.items() if key != first and key not in own})
    return built(first, {**own, **{key.replace("-", "_"): value for key, value in apart.items()}, "then": then})


def known_settings(name: str) -> list[str]:
    """The names of a method's settings."""
    return [field.name for field in fields(find_method(name))]  # type: ignore[arg-type]


def built(name: str, given: Mapping[str, Any]) -> Method:
    """One method by its own name."""
    cls, known = find_method(name), known_settings(name)
    for key in given:
        if key not in known:
            raise RecipeError(f"method {name!r} has no setting {key!r}", hint=nearest(key, known))
    try:
        checked = with_config(ConfigDict(extra="forbid", arbitrary_types_allowed=True))(cls)
        return TypeAdapter(checked).validate_python(dict(given))
    except ValidationError as fault:
        faults = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in fault.errors())
        raise RecipeError(f"settings of method {name!r}: {faults}") from fault
    except ValueError as fault:
        raise RecipeError(f"settings of method {name!r}: {fault}") from fault


def require_known(name: str) -> None:
    """Raises RecipeError, with the nearest known one, where a method or a part of `x+y` does not exist."""
    for part in name.split("+"):
        if part not in method_names():
            raise RecipeError(f"unknown method {part!r}", hint=nearest(part, method_names()))


def settings_of(method: Method) -> dict[str, Any]:
    """All settings of a method, defaults included, JSON-ready."""
    return asdict(method)  # type: ignore[call-overload, no-any-return]


def nearest(name: str, known: tuple[str, ...] | list[str]) -> str:
    """A hint that names the closest known word, or lists them all."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
