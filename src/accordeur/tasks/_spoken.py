"""Any kind as text to text, T5's way (Raffel et al. 2020): what is given as one string in, what is expected as a string out.

The kind `classify as text` is `classify` to every metric, and `write` to every network: a base answers with its own language
head, and what it writes is read back as a label, as tags or as a span. Long rows have no windows here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, cast

import numpy as np

from accordeur.adapted import FloatArray, Prediction
from accordeur.base import Family
from accordeur.errors import NotApplicable, Problem
from accordeur.example import Encoded, Example, Form, flatten
from accordeur.task import KindName, Task
from accordeur.tasks import classify, extract, tag
from accordeur.tasks._codec import Codec
from accordeur.tasks._kind import Kind
from accordeur.tasks.write import answer_ids, answered_item, prompt_ids

TEMPLATE = "{{ instruction }}\n"  # nothing but the row itself


class Spoken(Kind):
    """Another kind, asked and answered in words."""

    inner: ClassVar[Kind]

    def form(self, family: Family, task: Task) -> Form:
        """The next token for decoders, an answer from a question for encoder-decoders."""
        if family == "encoder":
            raise NotApplicable("an encoder can't write its answers: give a decoder or an encoder-decoder (T5) as --base")
        return "seq2seq" if family == "encoder-decoder" else "causal"

    def outputs(self, task: Task) -> int:
        """The base's own language head answers."""
        return 0

    def encode(self, example: Example, row: int, task: Task, codec: Codec) -> list[Encoded]:
        """The row in words, and the answer in words with its end; only the answer is in the loss."""
        said = spoken(example, self.inner)
        return [answered_item(prompt_ids(said, framed(task), codec), answer_ids(said, codec), row, codec)]

    def prompt(self, example: Example, row: int, task: Task, codec: Codec) -> Encoded:
        """The row in words; of a row that is too long the end is cut."""
        ids = prompt_ids(spoken(example, self.inner), framed(task), codec)
        return Encoded(tokens=codec.cut(ids) if codec.family == "encoder-decoder" else ids, row=row)

    def decode(self, example: Example, answers: Sequence[FloatArray], task: Task, codec: Codec) -> Prediction:
        """Written answers are generated, not decoded from scores."""
        raise NotApplicable("an answer in words is generated token by token")

    def length(self, example: Example, task: Task, codec: Codec) -> tuple[int, int]:
        """As kind `write` counts: the answer is what a cut of a decoder's row loses."""
        said = spoken(example, self.inner)
        prompt, answer = len(prompt_ids(said, framed(task), codec)), len(answer_ids(said, codec))
        if codec.family == "encoder-decoder":
            return max(prompt, answer), max(0, answer - codec.max_length)
        return prompt + answer - 1, min(answer, max(0, prompt + answer - 1 - codec.max_length))

    def read(self, text: str, task: Task, example: Example) -> Any:
        """As the kind reads written answers."""
        return self.inner.read(text, task, example)

    def target_text(self, example: Example) -> str:
        """As the kind writes them."""
        return self.inner.target_text(example) if example.given else str(example.expected)

    def prompts(self, task: Task) -> Mapping[str, str]:
        """Those of the kind."""
        return self.inner.prompts(task)

    def shot(self, example: Example, task: Task) -> str:
        """That of the kind."""
        return self.inner.shot(example, task)

    def check(self, examples: Sequence[Example]) -> list[Problem]:
        """As the kind checks."""
        return self.inner.check(examples)

    def labels(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """Those of the kind."""
        return self.inner.labels(examples)

    def metric_names(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """Those of the kind."""
        return self.inner.metric_names(examples)


def spoken(example: Example, kind: Kind) -> Example:
    """A row as one of kind `write`: `classify text: …`, `extract question: … context: …`. A raw text stays one."""
    if not example.given:
        return example
    columns = " ".join(f"{name}: {flatten(value)}" for name, value in example.given.items() if value)
    given = {"instruction": f"{kind.name} {columns}", "input": ""}
    return replace(example, given=given, expected=kind.target_text(example))


def framed(task: Task) -> Task:
    """The task with the template that adds nothing to a row."""
    return replace(task.frame(), template=TEMPLATE)


def as_text(task: Task) -> Task:
    """The same rows and metrics, asked and answered in words. Raises NotApplicable where they are so already."""
    name = f"{task.kind} as text"
    if name not in KINDS:
        raise NotApplicable(f"kind {task.kind} is text to text by itself, or has no answer in words")
    return replace(task, kind=cast(KindName, name))


MOST_CUT = 0.05  # share of the rows that may lose tokens, wherever rows are cut


def cut_share(task: Task, codec: Codec, kind: Kind) -> float:
    """The share of rows that a base with so many tokens would not see whole."""
    rows = (*task.train, *task.validation, *task.test)
    return float(np.mean([kind.length(row, task, codec)[0] > codec.max_length for row in rows])) if rows else 0.0


class ClassifyAsText(Spoken):
    """The label, or the grade, in words."""

    name, metrics, inner = "classify as text", classify.KIND.metrics, classify.KIND


class TagAsText(Spoken):
    """The entities in words, in the order of the text."""

    name, metrics, inner = "tag as text", tag.KIND.metrics, tag.KIND


class ExtractAsText(Spoken):
    """The answer in words."""

    name, metrics, inner = "extract as text", extract.KIND.metrics, extract.KIND


KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (ClassifyAsText(), TagAsText(), ExtractAsText())}
