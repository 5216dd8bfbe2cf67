"""Options of the command line that hold several values in one word."""

from __future__ import annotations

from collections.abc import Sequence

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
