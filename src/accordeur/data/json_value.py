"""One JSON value, strictly: what json.loads would bend or let through is refused with its reason."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 32
STRINGS = re.compile(r'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
ESCAPES = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class BadJson(ValueError):  # noqa: N818  (never leaves the reader: it becomes a problem)
    """Text that isn't one clean JSON value. `torn`: it only stops too early."""

    def __init__(self, message: str, *, torn: bool = False) -> None:
        super().__init__(message)
        self.torn = torn


def _pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(found)
    if len(values) != len(found):
        keys = [key for key, _ in found]
        twice = next(key for key in values if keys.count(key) > 1)
        raise BadJson(f"key '{twice}' stands twice in one object")
    return values


def _constant(name: str) -> NoReturn:
    raise BadJson(f"{name} isn't JSON, and no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadJson(f"the number {text[:20]} is too large to be kept")
    return number


def _whole(text: str) -> int:
    if len(text) > 1000:
        raise BadJson(f"a whole number of {len(text)} digits")
    return int(text)


DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_finite, parse_int=_whole)


def parse(text: str) -> Any:
    """The one value in a text. Raises BadJson, never RecursionError; a lone surrogate or \\u0000 is refused."""
    require_shallow(text)
    try:
        value = DECODER.decode(text)
    except json.JSONDecodeError as fault:
        raise explain(fault, len(text.rstrip())) from None
    require_clean(text, value)
    return value


def explain(fault: json.JSONDecodeError, length: int) -> BadJson:
    """A JSON fault in words, with the column and what stands there."""
    if fault.msg == "Extra data":
        return BadJson(f"something follows the object at column {fault.pos + 1}: one object a line is expected")
    ending = "\\u" in fault.doc[max(fault.pos - 2, length - 8) :]
    torn = ending or fault.msg.startswith("Unterminated string") or fault.pos >= length - 1
    seen = fault.doc[fault.pos : fault.pos + 20]
    found = f", found {seen!r}" if seen else ""
    return BadJson(f"not JSON at column {fault.pos + 1}: {fault.msg[0].lower()}{fault.msg[1:]}{found}", torn=torn)


def require_shallow(text: str) -> None:
    """Refuses nesting deeper than MAX_DEPTH before it is parsed."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for mark in re.findall(r"[\[\]{}]", STRINGS.sub("", text)):
        depth += 1 if mark in "[{" else -1
        if depth > MAX_DEPTH:
            raise BadJson(f"nested deeper than {MAX_DEPTH} levels")


def require_clean(text: str, value: Any) -> None:
    """Refuses characters that no text may hold and that only escapes can bring in: NUL and lone surrogates."""
    if not ESCAPES.search(text):
        return
    for string in strings(value):
        if "\0" in string:
            raise BadJson(r"a text holds \u0000 (NUL)")
        lone = next((char for char in string if "\ud800" <= char <= "\udfff"), "")
        if lone:
            raise BadJson(f"a text holds a lone surrogate (\\u{ord(lone):04x}): half of a character")


def strings(value: Any) -> list[str]:
    """Every string in a parsed value, keys too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return []


def kind_of(value: Any) -> str:
    """What a value is, in a user's words."""
    names = {bool: "true/false", int: "a whole number", float: "a decimal number", str: "text", list: "a list", dict: "an object"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
