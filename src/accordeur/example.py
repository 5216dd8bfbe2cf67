"""One row of data: what is given and what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]

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


Form = Literal["label", "score", "tokens", "span", "causal", "seq2seq", "masked"]
IGNORED = -100


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """One row (or one window of a long row) as token ids: the plain data between a kind and the training.

    tokens: int32 (T,). What `target` is depends on the form of the problem:
      label: int   score: float   tokens / causal / masked: int32 (T,), IGNORED where nothing is asked
        (causal: target[t] is the id that should follow tokens[t])
      span: int32 (2,), first and last token of the answer ((0, 0) = no answer)   seq2seq: int32 (U,), the answer's ids
    segments: int32 (T,) segment ids, or None.   row: index of the example it came from.
    """

    tokens: IntArray
    target: IntArray | int | float | None = None
    segments: IntArray | None = None
    row: int = 0

    @property
    def units(self) -> int:
        """How many labelled units the loss averages over: answer tokens, or 1 for a row."""
        if isinstance(self.target, np.ndarray) and self.target.ndim == 1:
            return int((self.target != IGNORED).sum())
        return 0 if self.target is None else 1
