"""One row of data: what is given and what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Example:
    """One row. Frozen.

    `given` holds the canonical columns of the kind (strings, or tuples of strings / turns):
      classify: text [, text_pair]   tag: tokens   extract: question, context
      write: instruction, input | messages   prefer: prompt   text: (empty)
    `expected` is what the model should answer:
      classify: the label (str, or a float for graded labels)   tag: tuple of tags
      extract: tuple of {"text", "start"} (empty = unanswerable)   write: the answer
      prefer: {"chosen", "rejected"}   text: the text itself
    `extra` carries the other columns along, untouched.
    """

    id: str
    given: Mapping[str, Any]
    expected: Any
    extra: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """Where the row came from, as file:line, for messages."""
        return f"{self.file}:{self.line}" if self.file else self.id

    def text(self) -> str:
        """What is given as one plain string: for classical models, neighbours and duplicates."""
        return "\n".join(flatten(value) for value in self.given.values() if value)


def flatten(value: Any) -> str:
    """A cell as plain text: strings as they stand, tokens by spaces, turns one a line."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "\n".join(flatten(part) for part in value.values())
    if isinstance(value, Sequence):
        joiner = " " if all(isinstance(part, str) for part in value) else "\n"
        return joiner.join(flatten(part) for part in value)
    return str(value)
