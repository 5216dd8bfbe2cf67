"""Kind `prefer`: of two answers to a prompt, the one that people chose.

`encode` gives the chosen answer alone, so that training on it as it stands is plain imitation of the better answers; `pair`
gives both, for methods that compare. A model takes the side of the answer that it finds more probable as a whole.
`Prediction.scores` holds both natural-log probabilities, under `chosen` and `rejected`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from accordeur.adapted import FloatArray, Prediction
from accordeur.base import Family
from accordeur.errors import NotApplicable, Problem
from accordeur.example import Encoded, Example, Form
from accordeur.run import Answered
from accordeur.task import Task
from accordeur.tasks._codec import Codec
from accordeur.tasks._kind import Kind, Metric, Totals, column, ratio
from accordeur.tasks._text import NLL
from accordeur.tasks.write import KIND as WRITE

SIDES = ("chosen", "rejected")
VERBATIM = "{{ prompt }}"


def sides(answered: Sequence[Answered]) -> Totals:
    """The log-probabilities of both answers, (rows, 2); NotApplicable where a model gave none."""
    if any(answer.scores is None or not set(SIDES) <= set(answer.scores) for answer in answered):
        raise NotApplicable("this model gives the two answers no probabilities")
    return np.asarray([[(answer.scores or {})[side] for side in SIDES] for answer in answered], np.float64)


def accuracy_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """1 where the chosen answer is the more probable one, a half where both are equally so."""
    chosen, rejected = sides(answered).T
    return column((chosen > rejected) + 0.5 * (chosen == rejected))


def margin_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """By how many nats the chosen answer is the more probable one."""
    chosen, rejected = sides(answered).T
    return column(chosen - rejected)


class Prefer(Kind):
    """Two answers to one prompt, the better one known."""

    name = "prefer"
    metrics = (
        Metric(name="pair_accuracy", statistics=accuracy_statistics, finish=ratio),
        Metric(name="pair_margin", statistics=margin_statistics, finish=ratio, unit="nats", tolerance=0.5),
        NLL,
    )
    likelihood = True

    def form(self, family: Family, task: Task) -> Form:
        """As the kind `write`: the answers are texts."""
        return WRITE.form(family, task)

    def outputs(self, task: Task) -> int:
        """The base's own language head."""
        return 0

    def check(self, examples: Sequence[Example]) -> list[Problem]:
        """Rows without a prompt, without one of the answers, or with the same answer twice."""
        return [
            Problem(file=example.file or example.id, line=example.line, message=fault)
            for example in examples
            if (fault := row_fault(example))
        ]

    def encode(self, example: Example, row: int, task: Task, codec: Codec) -> list[Encoded]:
        """The prompt and the chosen answer; only the answer is in the loss."""
        return [self.side(example, "chosen", row, task, codec)]

    def pair(self, example: Example, row: int, task: Task, codec: Codec) -> tuple[Encoded, Encoded]:
        """The prompt with the chosen, and with the rejected answer."""
        return self.side(example, "chosen", row, task, codec), self.side(example, "rejected", row, task, codec)

    def side(self, example: Example, side: str, row: int, task: Task, codec: Codec) -> Encoded:
        """The prompt with one of the answers."""
        return WRITE.encode(as_written(example, side), row, in_words(task, example), codec)[0]

    def prompt(self, example: Example, row: int, task: Task, codec: Codec) -> Encoded:
        """The prompt alone."""
        return WRITE.prompt(as_written(example, "chosen"), row, in_words(task, example), codec)

    def decode(self, example: Example, answers: Sequence[FloatArray], task: Task, codec: Codec) -> Prediction:
        """From the log-probabilities of the tokens of both answers, in the order of `pair`."""
        chosen, rejected = (float(np.sum(each, dtype=np.float64)) for each in answers)
        return Prediction(output=SIDES[int(rejected > chosen)], scores={"chosen": chosen, "rejected": rejected})

    def length(self, example: Example, task: Task, codec: Codec) -> tuple[int, int]:
        """Of the longer of both, and what a cut would lose of both."""
        parts = [WRITE.length(as_written(example, side), in_words(task, example), codec) for side in SIDES]
        return max(length for length, _ in parts), sum(lost for _, lost in parts)

    def read(self, text: str, task: Task, example: Example) -> Any:
        """The answer itself, less white space around it."""
        return text.strip()

    def target_text(self, example: Example) -> str:
        """The chosen answer."""
        return str(example.expected["chosen"])

    def shot(self, example: Example, task: Task) -> str:
        """The prompt and its chosen answer."""
        return f"{example.text()}\n{self.target_text(example)}\n\n"

    def prompts(self, task: Task) -> Mapping[str, str]:
        """The prompt as it stands: answers are compared, not asked for."""
        return {"bare": VERBATIM}


def as_written(example: Example, side: str) -> Example:
    """The row as one of kind `write`: turns of a conversation, or a prompt in one piece, with one of the answers.

    Raw text, by which forgetting is measured, stays as it is.
    """
    if not example.given:
        return example
    prompt = example.given.get("prompt", "")
    given = {"instruction": prompt, "input": "", "prompt": prompt} if isinstance(prompt, str) else {"messages": prompt}
    return replace(example, given=given, expected=example.expected[side])


def in_words(task: Task, example: Example) -> Task:
    """The task with the template that lays out a prompt: the user's, else the prompt as it stands where it is a dialogue."""
    prompt = example.given.get("prompt")
    dialogue = isinstance(prompt, str) and prompt.rstrip().endswith(":")
    return replace(task, template=VERBATIM) if task.template is None and dialogue else task


def row_fault(example: Example) -> str:
    """What is wrong with a row, or nothing."""
    answers = [str(example.expected.get(side, "")).strip() for side in SIDES]
    if not example.given.get("prompt"):
        return "no prompt that the two answers answer"
    if not all(answers):
        return f"no {SIDES[answers.index('')]} answer"
    return "chosen and rejected are the same text" if answers[0] == answers[1] else ""


KIND = Prefer()
