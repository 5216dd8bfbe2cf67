"""What a kind of task must tell: the form of its problem, its encoding, its reading of answers, its metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from accordeur.adapted import FloatArray, Prediction
from accordeur.base import Family
from accordeur.errors import NotApplicable
from accordeur.example import Encoded, Example, Form, IntArray
from accordeur.run import Answered
from accordeur.task import Task

Totals = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric as a function of sums over rows, so that a resampling of rows is one matrix product.

    `statistics(answered, labels)` gives (rows, k); raises NotApplicable where the answers lack what it needs.
    `finish` maps totals (..., k), sums of statistics over rows, to scores (...).
    """

    name: str
    statistics: Callable[[Sequence[Answered], Sequence[str]], Totals]
    finish: Callable[[Totals], Totals]
    higher_is_better: bool = True
    unit: str = "points"  # "points": a share, shown times 100; "nats", "bits", "score": shown as it is
    tolerance: float = 0.03  # the difference that does not matter, in the metric's own scale


@dataclass(frozen=True, kw_only=True)
class Codec:
    """How text becomes ids for one base: its tokenizer, and how many tokens a row may have."""

    tokenizer: Any
    family: Family
    max_length: int

    def plain(self, text: str) -> list[int]:
        """The ids of a text without any special token; special tokens spelled in the text stay plain text."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
        return ids

    def framed(self, text: str, pair: str | None = None) -> tuple[IntArray, IntArray | None]:
        """The ids of a text (or of two) with the family's special tokens around, uncut, and their segments if there are any."""
        encoded = self.tokenizer(text, pair, split_special_tokens=True, return_token_type_ids=True, verbose=False)
        segments = encoded.get("token_type_ids")
        wanted = pair is not None and "token_type_ids" in self.tokenizer.model_input_names and segments is not None
        return np.asarray(encoded["input_ids"], np.int32), np.asarray(segments, np.int32) if wanted else None

    def cut(self, ids: IntArray) -> IntArray:
        """At most max_length ids; the closing special token is kept where there is one."""
        if len(ids) <= self.max_length:
            return ids
        closing = ids[-1:] if ids[-1] in set(self.tokenizer.all_special_ids) else ids[:0]
        return np.concatenate([ids[: self.max_length - len(closing)], closing])

    @property
    def pad(self) -> int:
        """The id that fills up short rows. It is always masked, so any id would do."""
        return self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else self.end

    @property
    def end(self) -> int:
        """The id that ends an answer."""
        for name in ("eos_token_id", "sep_token_id", "pad_token_id"):
            found = getattr(self.tokenizer, name, None)
            if found is not None:
                return int(found)
        return 0


class Kind(ABC):
    """One kind of task. Stateless; all it knows of a dataset is the Task."""

    name: ClassVar[str]
    metrics: ClassVar[tuple[Metric, ...]]  # the first is primary by default
    likelihood: ClassVar[bool] = False  # whether the likelihood of the expected answer is measured
    answers: ClassVar[bool] = True  # whether there is an answer to predict at all

    @abstractmethod
    def form(self, family: Family) -> Form:
        """The form of the training problem on a family. Raises NotApplicable."""

    @abstractmethod
    def outputs(self, task: Task) -> int:
        """How many values a head puts out; 0 where the base's own language head answers."""

    @abstractmethod
    def encode(self, example: Example, row: int, task: Task, codec: Codec) -> list[Encoded]:
        """The row as ids with its target: one item, or several windows of a long row. Cut to codec.max_length."""

    def prompt(self, example: Example, row: int, task: Task, codec: Codec) -> Encoded:
        """What is given, as ids, for kinds that are written. Raises NotApplicable for the others."""
        raise NotApplicable(f"kind {self.name} is not written")

    @abstractmethod
    def decode(self, example: Example, answers: Sequence[FloatArray], task: Task) -> Prediction:
        """A prediction from what the network put out for each item of one row."""

    @abstractmethod
    def length(self, example: Example, task: Task, codec: Codec) -> tuple[int, int]:
        """(tokens of the uncut row, answer tokens that a cut to codec.max_length would lose)."""

    @abstractmethod
    def read(self, text: str, task: Task) -> Any:
        """What a written answer means: a label, tags, a span, or the text itself."""

    @abstractmethod
    def target_text(self, example: Example) -> str:
        """The expected answer as one writes it."""

    @abstractmethod
    def prompts(self) -> Mapping[str, str]:
        """The built-in prompts, by name: Jinja templates over the given columns, `labels`, `definitions`, `shots`."""

    def shot(self, example: Example, task: Task) -> str:
        """The row as one worked example in a prompt."""
        return f"{example.text()}\nAnswer: {self.target_text(example)}\n\n"

    def metric(self, name: str) -> Metric:
        """A metric by its name; KeyError where there is none."""
        return {metric.name: metric for metric in self.metrics}[name]


def column(values: Sequence[float] | npt.NDArray[Any]) -> Totals:
    """Statistics of a mean: the value and a one per row, (rows, 2)."""
    array = np.asarray(values, np.float64)
    return np.stack([array, np.ones_like(array)], axis=-1)


def ratio(totals: Totals) -> Totals:
    """First total over second: the mean of `column` statistics, or nats per token."""
    return np.asarray(totals[..., 0] / np.maximum(totals[..., 1], 1e-12))
