"""The options of `accordeur compare` as the keys of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accordeur.errors import RecipeError


def parse_sizes(text: str | None) -> list[int | str] | None:
    """`50,200,all` as numbers and `all`."""
    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    if not all(word == "all" or (word.isascii() and word.isdigit()) for word in words):
        raise RecipeError(
            f"--train-sizes {text!r} is not understood", hint="expected numbers of train rows: --train-sizes 50,200,all"
        )
    return [word if word == "all" else int(word) for word in words]


def parse_named(entries: Sequence[str] | None) -> dict[str, str] | None:
    """`spring=spring.csv`, each name once, as a mapping."""
    if not entries:
        return None
    pairs = [entry.partition("=") for entry in entries]
    for (name, sign, file), entry in zip(pairs, entries, strict=True):
        if not (name.strip() and sign and file.strip()):
            raise RecipeError(f"--also {entry!r} is not understood", hint="expected a name and a file: --also spring=spring.csv")
    found = {name.strip(): file.strip() for name, _, file in pairs}
    if len(found) < len(pairs):
        raise RecipeError("--also: a name is given twice", hint="name each file differently")
    return found


def parse_mapping(text: str | None) -> dict[str, str] | None:
    """`label=stars,text=body` as a mapping."""
    if text is None:
        return None
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name.strip() and sign and column.strip() for name, sign, column in pairs):
        raise RecipeError(f"--map {text!r} is not understood", hint="expected name=column pairs: --map label=stars,text=body")
    return {name.strip(): column.strip() for name, _, column in pairs}


def parse_where(text: str | None) -> dict[str, str] | None:
    """`language=fr,source=web` as a mapping; a value may be empty."""
    if text is None:
        return None
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name.strip() and sign for name, sign, _ in pairs):
        raise RecipeError(f"--where {text!r} is not understood", hint="expected column=value pairs: --where language=fr")
    return {name.strip(): value.strip() for name, _, value in pairs}


def parse_names(text: str | None) -> list[str] | None:
    """`tfidf,lora` as a list."""
    return text.replace(" ", "").split(",") if text else None


def parse_sweep(entries: Sequence[str] | None) -> dict[str, dict[str, list[Any]]] | None:
    """`lora.rank=4,8` and `lora.rate=1e-4,3e-4` as values by method and setting, read as a recipe reads them."""
    if not entries:
        return None
    found: dict[str, dict[str, list[Any]]] = {}
    for entry in entries:
        place, _, values = entry.partition("=")
        method, _, setting = place.strip().partition(".")
        words = [word.strip() for word in values.split(",")]
        if not (method and setting and all(words)):
            hint = "expected a method, one of its settings, and values: --sweep lora.rank=4,8,16"
            raise RecipeError(f"--sweep {entry!r} is not understood", hint=hint)
        if setting in found.setdefault(method, {}):
            raise RecipeError(f"--sweep: {method}.{setting} is given twice", hint="give all its values at once")
        found[method][setting] = [plain_value(word) for word in words]
    return found


def plain_value(word: str) -> Any:
    """A number, true, false or null where YAML 1.2 has one, else the word itself."""
    from accordeur.recipe import parser

    try:
        value = parser().load(word)
    except Exception:  # the reader raises many kinds: then it is a word
        return word
    return value if value is None or isinstance(value, bool | int | float | str) else word


RENAMED = {"mapping": "map", "sep": "separator", "prompt": "prompts", "slices": "slice"}
READ: Mapping[str, Callable[[Any], Any]] = {
    "mapping": parse_mapping,
    "where": parse_where,
    "methods": parse_names,
    "train_sizes": parse_sizes,
    "also": parse_named,
    "sweep": parse_sweep,
}
OUTSIDE = ("data", "save_recipe")


def recipe_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, by the keys of a recipe; an option has the name of its key but for RENAMED."""
    found = {RENAMED.get(name, name): READ[name](value) if name in READ else value for name, value in options.items()}
    return {name: value for name, value in found.items() if value is not None and value is not False and name not in OUTSIDE}
