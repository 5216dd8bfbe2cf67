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
from accordeur.errors import NotApplicable, Problem
from accordeur.evidence.metric import Unit
from accordeur.example import Encoded, Example, Form
from accordeur.run import Answered
from accordeur.task import Task
from accordeur.tasks._codec import Codec as Codec

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
    unit: Unit = "points"  # "points": a share, shown times 100; "nats", "bits", "score": shown as it is
    tolerance: float = 0.03  # the difference that does not matter, in the metric's own scale


class Kind(ABC):
    """One kind of task. Stateless; all it knows of a dataset is the Task."""

    name: ClassVar[str]
    metrics: ClassVar[tuple[Metric, ...]]  # the first is primary by default
    likelihood: ClassVar[bool] = False  # whether the likelihood of the expected answer is measured
    answers: ClassVar[bool] = True  # whether there is an answer to predict at all

    @abstractmethod
    def form(self, family: Family, task: Task) -> Form:
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
    def decode(self, example: Example, answers: Sequence[FloatArray], task: Task, codec: Codec) -> Prediction:
        """A prediction from what the network put out for each item that `encode` makes of this row with the same codec."""

    @abstractmethod
    def length(self, example: Example, task: Task, codec: Codec) -> tuple[int, int]:
        """(tokens of the longest item before any cut, answer tokens that a cut to codec.max_length would lose)."""

    @abstractmethod
    def read(self, text: str, task: Task, example: Example) -> Any:
        """What a written answer to this row means: a label, tags, a span, or the text itself."""

    @abstractmethod
    def target_text(self, example: Example) -> str:
        """The expected answer as one writes it."""

    @abstractmethod
    def prompts(self, task: Task) -> Mapping[str, str]:
        """The built-in prompts, by name: Jinja templates over the given columns, `labels`, `definitions`, `shots`."""

    def shot(self, example: Example, task: Task) -> str:
        """The row as one worked example in a prompt."""
        return f"{example.text()}\nAnswer: {self.target_text(example)}\n\n"

    def check(self, examples: Sequence[Example]) -> list[Problem]:
        """What is wrong with the rows of a task, all splits together, beyond what their files already showed."""
        return []

    def prepared(self, examples: Sequence[Example]) -> Sequence[Example]:
        """The rows of a task, all splits together and in order, in the one form that this kind works with."""
        return examples

    def labels(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """The labels of a task with these rows, sorted; nothing where answers are free."""
        return ()

    def metric_names(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """The metrics of a task with these rows, its primary one first."""
        return tuple(metric.name for metric in self.metrics)

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
