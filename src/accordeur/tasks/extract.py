"""Kind `extract`: a question and a context to a span of the context, or to no answer.

The output of a row is the text of the span, "" for no answer. `Prediction.scores` holds the probabilities of `answer` and
`no answer`. A task whose rows all have an answer has no labels, and is always answered; one with unanswerable questions
has the label `no answer`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from accordeur.adapted import FloatArray, Prediction
from accordeur.base import Family
from accordeur.errors import Problem
from accordeur.example import Encoded, Example, Form, IntArray
from accordeur.task import Task
from accordeur.tasks._answers import ANSWER_METRICS
from accordeur.tasks._codec import Codec, Pieces
from accordeur.tasks._kind import Kind
from accordeur.tasks._windows import Window, windows

NO_ANSWER = "no answer"
ANSWER = "answer"
MAX_ANSWER = 128  # tokens; of 4,780 answers of three English and French sets all but 3 are shorter
OVERLAP = 3  # windows share a third of their room, as SQuAD's do (128 tokens of 384)
ASK = "Context: {{ context }}\n\nQuestion: {{ question }}\nAnswer:"
RULE = "{% if labels %} If the context does not hold the answer, write `no answer`.{% endif %}"
PROMPTS = {
    "bare": "{{ context }}\n\n{{ question }}\nAnswer:",
    "role-task-format": (
        "You are a careful reader. Answer the question with the shortest words copied from the context, and nothing else."
        + RULE + "\n\n{{ shots }}" + ASK
    ),
    "definitions": (
        "An answer is a run of words that stands in the context, letter by letter: a name, a number, a date or a phrase, "
        "without a sentence around it." + RULE + "\n\n{{ shots }}" + ASK
    ),
    "step-by-step": (
        "Read the question, find the sentence of the context that answers it, then copy only the words that answer." + RULE
        + "\n\n{{ shots }}" + ASK
    ),
}  # fmt: skip


class Span(NamedTuple):
    """The best span of a window: tokens of the context, and by how much it beats the window's own "no answer"."""

    first: int
    last: int
    margin: float


class Laid(NamedTuple):
    """A row laid out for one base: the question's ids, the context's pieces, and the windows over these."""

    question: IntArray
    context: Pieces
    windows: list[Window]
    offset: int  # where the context begins in every window


class Extract(Kind):
    """A span of a context that answers a question."""

    name = "extract"
    metrics = ANSWER_METRICS

    def form(self, family: Family, task: Task) -> Form:
        """First and last token by a head on the base."""
        return "span"

    def outputs(self, task: Task) -> int:
        """Two scores per token: first and last of the answer."""
        return 2

    def check(self, examples: Sequence[Example]) -> list[Problem]:
        """Questions or contexts without text, and answers that don't stand where they say."""
        return [
            Problem(file=example.file or example.id, line=example.line, message=fault)
            for example in examples
            for fault in row_faults(example)
        ]

    def labels(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """`no answer` where some question has none."""
        return () if all(example.expected for example in examples) else (NO_ANSWER,)

    def encode(self, example: Example, row: int, task: Task, codec: Codec) -> list[Encoded]:
        """Question and context in overlapping windows. The target is the first answer that lies whole in the window, else (0, 0).

        An answer too long for any window is asked where most of it lies. A question longer than half the room is cut to it.
        """
        laid = lay_out(example, codec)
        spans = [span for answer in example.expected if (span := token_span(laid.context, answer)) is not None]
        if spans and not any(inside(window, span) for window in laid.windows for span in spans):
            spans = [clipped(laid.windows, spans[0])]
        return [windowed(laid, window, spans, row, codec) for window in laid.windows]

    def decode(self, example: Example, answers: Sequence[FloatArray], task: Task, codec: Codec) -> Prediction:
        """The span that beats "no answer" by most over all windows; "" where none does and the task has unanswerable rows.

        A margin is a difference of logits of one window, so that windows can be compared (Devlin et al. 2019, section 4.3).
        """
        laid = lay_out(example, codec)
        found = []
        for window, answer in zip(laid.windows, answers, strict=True):
            span = best_span(np.asarray(answer, np.float64), laid.offset, window.stop - window.start)
            if span is not None:
                found.append(span._replace(first=span.first + window.start, last=span.last + window.start))
        if not found:
            return Prediction(output="", scores={ANSWER: 0.0, NO_ANSWER: 1.0})
        span = max(found, key=lambda each: each.margin)
        share = 1 / (1 + math.exp(-min(max(span.margin, -500.0), 500.0)))
        text = span_text(example.given["context"], laid.context, span) if span.margin > 0 or not task.labels else ""
        return Prediction(output=text, scores={ANSWER: share, NO_ANSWER: 1 - share})

    def length(self, example: Example, task: Task, codec: Codec) -> tuple[int, int]:
        """Of the longest window, which only a question longer than half the room makes too long."""
        laid = lay_out(example, codec)
        longest = max(window.stop - window.start for window in laid.windows)
        lost = len(codec.plain(example.given["question"])) - len(laid.question)
        return codec.pair_frame.size + len(laid.question) + longest + max(0, lost), 0

    def read(self, text: str, task: Task, example: Example) -> Any:
        """The first line of an answer without quotes around it; "" where it says that there is none."""
        said = next((line.strip() for line in text.splitlines() if line.strip()), "").strip("\"'`«»“” ")
        return "" if said.casefold().rstrip(".") in ("no answer", "none", "unanswerable", "aucune réponse") else said

    def target_text(self, example: Example) -> str:
        """The first right answer, or `no answer`."""
        return str(example.expected[0]["text"]) if example.expected else NO_ANSWER

    def shot(self, example: Example, task: Task) -> str:
        """Context, question and answer as the built-in prompts lay them out."""
        given = example.given
        return f"Context: {given['context']}\n\nQuestion: {given['question']}\nAnswer: {self.target_text(example)}\n\n"

    def prompts(self, task: Task) -> Mapping[str, str]:
        """Bare; role, task and format; what an answer is; step by step."""
        return PROMPTS


def lay_out(example: Example, codec: Codec) -> Laid:
    """A row as ids, and the windows over its context."""
    frame = codec.pair_frame
    room = codec.room(frame)
    question = np.asarray(codec.plain(example.given["question"]), np.int32)[: room // 2]
    if not len(question) and not len(frame.before):
        question = np.asarray([codec.end], np.int32)  # place 0 says "no answer", so it can't be the context's
    context = codec.pieces(example.given["context"])
    room -= len(question)
    offset = len(frame.before) + len(question) + len(frame.between)
    return Laid(question, context, windows(len(context.ids), room, room // OVERLAP), offset)


def token_span(context: Pieces, answer: Mapping[str, Any]) -> tuple[int, int] | None:
    """The first and last piece that stand for an answer's characters, (first, last), or None where none does."""
    start, stop = int(answer["start"]), int(answer["start"]) + len(answer["text"])
    covered = np.flatnonzero((context.stops > start) & (context.starts < stop) & (context.stops > context.starts))
    return (int(covered[0]), int(covered[-1])) if len(covered) else None


def inside(window: Window, span: tuple[int, int]) -> bool:
    """Whether a span lies whole in a window."""
    return window.start <= span[0] and span[1] < window.stop


def clipped(found: Sequence[Window], span: tuple[int, int]) -> tuple[int, int]:
    """The longest part of a span that one window holds."""
    parts = [(max(window.start, span[0]), min(window.stop - 1, span[1])) for window in found]
    return max(parts, key=lambda part: part[1] - part[0])


def windowed(laid: Laid, window: Window, spans: Sequence[tuple[int, int]], row: int, codec: Codec) -> Encoded:
    """One window with its target."""
    tokens, segments = codec.pair_frame.around(laid.question, laid.context.ids[window.start : window.stop])
    shift = laid.offset - window.start
    whole = ((first + shift, last + shift) for first, last in spans if inside(window, (first, last)))
    return Encoded(tokens=tokens, target=np.asarray(next(whole, (0, 0)), np.int32), segments=segments, row=row)


def best_span(logits_T2: npt.NDArray[np.float64], offset: int, length: int) -> Span | None:
    """The best first <= last < first + MAX_ANSWER among the `length` tokens of the context; None where there are none."""
    if length == 0:
        return None
    first_T, last_T = logits_T2[offset : offset + length].T
    table_TT = first_T[:, None] + last_T[None, :]
    places = np.arange(length)
    allowed_TT = (places[None, :] >= places[:, None]) & (places[None, :] < places[:, None] + MAX_ANSWER)
    first, last = np.unravel_index(int(np.where(allowed_TT, table_TT, -np.inf).argmax()), table_TT.shape)
    return Span(int(first), int(last), float(table_TT[first, last] - logits_T2[0].sum()))


def span_text(context: str, pieces: Pieces, span: Span) -> str:
    """The characters that a span of pieces stands for, without the spaces that pieces may begin with."""
    return context[int(pieces.starts[span.first]) : int(pieces.stops[span.last])].strip()


def row_faults(example: Example) -> list[str]:
    """What is wrong with one row."""
    faults = [f"{name} is empty" for name in ("question", "context") if not str(example.given.get(name, "")).strip()]
    context = str(example.given.get("context", ""))
    for answer in example.expected:
        text, start = answer["text"], answer["start"]
        if not text.strip() or start < 0 or context[start : start + len(text)] != text:
            faults.append(f"answer {text[:40]!r} doesn't stand at character {start} of a context of {len(context)}")
    return faults


KIND = Extract()
