"""Kind `text`: raw text to model, measured in bits per character, which compares across tokenizers.

A text is scored token by token behind a start token (BOS, or the end token where a base has no BOS); its end is not asked,
as rows are often excerpts. Long texts go through windows that share a quarter of their room: every token is scored exactly
once, with at least that much context before it. Characters are Unicode code points of the text as given; a tokenizer that
folds case or drops signs has less to predict, which its bits per character show as an advantage it didn't earn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from accordeur.adapted import FloatArray, Prediction
from accordeur.base import Family
from accordeur.errors import NotApplicable, Problem
from accordeur.example import IGNORED, Encoded, Example, Form
from accordeur.run import Answered
from accordeur.task import Task
from accordeur.tasks._codec import Codec
from accordeur.tasks._kind import Kind, Metric, Totals, ratio
from accordeur.tasks._text import NLL, nll_statistics
from accordeur.tasks._windows import windows

OVERLAP = 4


def bits_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Bits and characters of each row, (rows, 2)."""
    nats = nll_statistics(answered, labels)[:, 0]
    return np.stack([nats / math.log(2), np.asarray([len(answer.expected) for answer in answered], np.float64)], axis=-1)


class Text(Kind):
    """The next token of a raw text."""

    name = "text"
    metrics = (
        Metric(
            name="bits_per_character",
            statistics=bits_statistics,
            finish=ratio,
            higher_is_better=False,
            unit="bits",
            tolerance=0.01,
        ),
        NLL,
    )
    likelihood = True
    answers = False

    def form(self, family: Family, task: Task) -> Form:
        """The next token, for decoders only."""
        if family == "encoder":
            raise NotApplicable("an encoder sees both sides of every token: it gives a text no probability; take a decoder (GPT)")
        if family == "encoder-decoder":
            raise NotApplicable("an encoder-decoder answers a text, it does not model one alone; take a decoder (GPT)")
        return "causal"

    def outputs(self, task: Task) -> int:
        """The base's own language head."""
        return 0

    def check(self, examples: Sequence[Example]) -> list[Problem]:
        """Rows without text."""
        return [
            Problem(file=example.file or example.id, line=example.line, message="the text is empty")
            for example in examples
            if not str(example.expected).strip()
        ]

    def encode(self, example: Example, row: int, task: Task, codec: Codec) -> list[Encoded]:
        """The text behind its start token, in windows; what an earlier window has scored is context only."""
        ids = np.asarray([start_id(codec), *codec.plain(example.expected)], np.int32)
        inputs, targets = (ids[:-1], ids[1:]) if len(ids) > 1 else (ids, np.full(1, IGNORED, np.int32))
        items, done = [], 0
        for window in windows(len(inputs), max(2, codec.max_length), codec.max_length // OVERLAP):
            target = targets[window.start : window.stop].copy()
            target[: done - window.start] = IGNORED
            items.append(Encoded(tokens=inputs[window.start : window.stop], target=target, row=row))
            done = window.stop
        return items

    def decode(self, example: Example, answers: Sequence[FloatArray], task: Task, codec: Codec) -> Prediction:
        """Nothing is answered: a text is only scored."""
        raise NotApplicable("a raw text is scored, not answered")

    def length(self, example: Example, task: Task, codec: Codec) -> tuple[int, int]:
        """Of the longest window: none is cut."""
        return max(len(item.tokens) for item in self.encode(example, 0, task, codec)), 0

    def read(self, text: str, task: Task, example: Example) -> Any:
        """The text itself."""
        return text

    def target_text(self, example: Example) -> str:
        """The text."""
        return str(example.expected)

    def prompts(self, task: Task) -> Mapping[str, str]:
        """None: nothing is asked."""
        return {}


def start_id(codec: Codec) -> int:
    """The token before the first one."""
    start = codec.tokenizer.bos_token_id
    return codec.end if start is None else int(start)


KIND = Text()
