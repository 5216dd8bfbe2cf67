"""Kind `classify`: a text, or a pair of texts, to one label or one grade.

A row longer than the model may read goes through it in windows of one size, whose answers are averaged; of a pair, the
longer text is windowed beside the whole shorter one, and two long ones go side by side.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from accordeur.adapted import FloatArray, Prediction
from accordeur.base import Family
from accordeur.errors import NotApplicable
from accordeur.example import Encoded, Example, Form, IntArray
from accordeur.run import Answered
from accordeur.task import Task
from accordeur.tasks._codec import Codec
from accordeur.tasks._graded import GRADED_METRICS, GRADED_PROMPTS, decode_grade, is_graded, read_grade
from accordeur.tasks._kind import Kind, Metric, Totals, column, ratio
from accordeur.tasks._windows import windows

BINS = 10
FLOOR = 1e-15  # a probability of zero would make the log-loss infinite


def confusion_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """One-hot rows (rows, 3 x labels): right answers, answers given, answers expected."""
    index = {label: position for position, label in enumerate(labels)}
    table = np.zeros((len(answered), 3, len(labels)))
    for row, answer in enumerate(answered):
        expected, given = index[answer.expected], index.get(answer.output)
        table[row, 2, expected] = 1
        if given is not None:
            table[row, 1, given] = 1
            table[row, 0, given] = given == expected
    return table.reshape(len(answered), -1)


def macro_f1(totals: Totals) -> Totals:
    """Mean over the classes that occur (expected or answered) of F1 = 2 TP / (answered + expected)."""
    right, given, expected = np.split(totals, 3, axis=-1)
    occurs = given + expected
    f1 = np.divide(2 * right, occurs, out=np.zeros_like(right), where=occurs > 0)
    return np.asarray(f1.sum(axis=-1) / np.maximum((occurs > 0).sum(axis=-1), 1))


def accuracy_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """1 where the label is right."""
    return column([float(row.output == row.expected) for row in answered])


def probabilities(answered: Sequence[Answered]) -> Sequence[Mapping[str, float]]:
    """The probabilities of every row; NotApplicable where the model gave none."""
    found = [row.scores for row in answered if row.scores is not None]
    if len(found) != len(answered):
        raise NotApplicable("this model answers without probabilities")
    return found


def log_loss_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Minus the natural log of the expected label's probability."""
    scores = probabilities(answered)
    return column([-float(np.log(max(given.get(row.expected, 0.0), FLOOR))) for row, given in zip(answered, scores, strict=True)])


def calibration_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Per confidence bin: rows, right answers, confidence, (rows, 3 x BINS)."""
    scores = probabilities(answered)
    table = np.zeros((len(answered), 3, BINS))
    for row, (answer, given) in enumerate(zip(answered, scores, strict=True)):
        confidence = given.get(answer.output, 0.0)
        place = min(int(confidence * BINS), BINS - 1)
        table[row, :, place] = 1, answer.output == answer.expected, confidence
    return table.reshape(len(answered), -1)


def calibration_error(totals: Totals) -> Totals:
    """Expected calibration error (Guo et al. 2017): mean over rows of |accuracy - confidence| of the row's bin."""
    rows, right, confidence = np.split(totals, 3, axis=-1)
    return np.asarray(np.abs(right - confidence).sum(axis=-1) / np.maximum(rows.sum(axis=-1), 1e-12))


PROMPTS = {
    "bare": "{{ text }}\n{% if text_pair %}{{ text_pair }}\n{% endif %}Label:",
    "role-task-format": (
        "You are a careful annotator. Give each text exactly one of these labels: {{ labels | join(', ') }}. "
        "Answer with the label only.\n\n{{ shots }}Text: {{ text }}\n"
        "{% if text_pair %}Second text: {{ text_pair }}\n{% endif %}Label:"
    ),
    "definitions": (
        "The labels and what they mean:\n{% for label in labels %}- {{ label }}: {{ definitions[label] }}\n{% endfor %}\n"
        "{{ shots }}Text: {{ text }}\n{% if text_pair %}Second text: {{ text_pair }}\n{% endif %}Label:"
    ),
    "step-by-step": (
        "Choose one label among {{ labels | join(', ') }}. First think of what the text is about, then of what its author wants, "
        "then name the label that fits best.\n\n{{ shots }}Text: {{ text }}\n"
        "{% if text_pair %}Second text: {{ text_pair }}\n{% endif %}"
        "The label that fits best is:"
    ),
}


class Classify(Kind):
    """A label for a text or a pair of texts."""

    name = "classify"
    metrics = (
        Metric(name="macro_f1", statistics=confusion_statistics, finish=macro_f1),
        Metric(name="accuracy", statistics=accuracy_statistics, finish=ratio),
        Metric(
            name="log_loss", statistics=log_loss_statistics, finish=ratio, higher_is_better=False, unit="nats", tolerance=0.02
        ),
        Metric(name="calibration_error", statistics=calibration_statistics, finish=calibration_error, higher_is_better=False),
        *GRADED_METRICS,
    )

    def form(self, family: Family, task: Task) -> Form:
        """A label, or where there are none a number, by a head on the pooled base."""
        return "label" if task.labels else "score"

    def outputs(self, task: Task) -> int:
        """One logit per label; one number for a grade."""
        return len(task.labels) or 1

    def labels(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """The labels that occur; none where they are graded."""
        return () if is_graded(examples) else tuple(sorted({str(example.expected) for example in examples}))

    def metric_names(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """Those of labels, or those of grades."""
        graded = [metric.name for metric in GRADED_METRICS]
        return tuple(graded if is_graded(examples) else [metric.name for metric in self.metrics if metric.name not in graded])

    def encode(self, example: Example, row: int, task: Task, codec: Codec) -> list[Encoded]:
        """The text, or both texts as the family joins them, in windows; the target is the label's position, or the grade."""
        return [
            Encoded(tokens=tokens, segments=segments, target=self.target(example, task), row=row)
            for tokens, segments in items(example, codec)
        ]

    def target(self, example: Example, task: Task) -> int | float | None:
        """A grade as it is, a label as its position; None for a label that the task doesn't have."""
        if not task.labels:
            return None if example.expected is None else float(example.expected)
        return task.labels.index(example.expected) if example.expected in task.labels else None

    def decode(self, example: Example, answers: Sequence[FloatArray], task: Task, codec: Codec) -> Prediction:
        """Softmax of the logits, or the grade, averaged over windows."""
        if not task.labels:
            return decode_grade(answers)
        logits = np.stack([np.asarray(answer, np.float64) for answer in answers])
        exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
        shares = (exponentials / exponentials.sum(axis=-1, keepdims=True)).mean(axis=0)
        return labelled(shares, task.labels)

    def length(self, example: Example, task: Task, codec: Codec) -> tuple[int, int]:
        """Of the longest window: none is cut."""
        return max(len(tokens) for tokens, _ in items(example, codec)), 0

    def read(self, text: str, task: Task, example: Example) -> Any:
        """The label that a written answer names: alone, at its start, or the only one in it; else "". Of a grade, the number.

        Only whole words count, and a label inside a longer one that is named (entailment, not entailment) does not.
        """
        if not task.labels:
            return read_grade(text)
        said = folded(text)
        found: dict[str, int] = {}
        for label in sorted(task.labels, key=len, reverse=True):
            place = place_of(folded(label), said)
            if place is not None and not any(folded(label) in folded(longer) for longer in found):
                found[label] = place
        first = [label for label, place in found.items() if place == 0]
        chosen = first or list(found)
        return chosen[0] if first or len(chosen) == 1 else ""

    def target_text(self, example: Example) -> str:
        """The label, or the grade without needless zeros."""
        return f"{example.expected:g}" if isinstance(example.expected, float) else str(example.expected)

    def shot(self, example: Example, task: Task) -> str:
        """Text and label as the built-in prompts lay them out."""
        second = f"Second text: {example.given['text_pair']}\n" if example.given.get("text_pair") else ""
        return f"Text: {example.given['text']}\n{second}{'Label' if task.labels else 'Number'}: {self.target_text(example)}\n\n"

    def prompts(self, task: Task) -> Mapping[str, str]:
        """Bare; role, task and format; label definitions; step by step. Grades are asked for as numbers."""
        return PROMPTS if task.labels else GRADED_PROMPTS


def items(example: Example, codec: Codec) -> list[tuple[IntArray, IntArray | None]]:
    """(tokens, segments) of every window of a row; one where it fits."""
    first = np.asarray(codec.plain(example.given["text"]), np.int32)
    if not example.given.get("text_pair"):
        return [codec.frame.around(first[part.start : part.stop]) for part in windows(len(first), codec.room(codec.frame))]
    frame, second = codec.pair_frame, np.asarray(codec.plain(example.given["text_pair"]), np.int32)
    room = codec.room(frame)
    most = min(len(first), max(room // 2, room - len(second)))  # the longer text takes what the shorter one leaves
    ones, twos = windows(len(first), most), windows(len(second), room - most)
    pairs = [(ones[min(place, len(ones) - 1)], twos[min(place, len(twos) - 1)]) for place in range(max(len(ones), len(twos)))]
    return [frame.around(first[one.start : one.stop], second[two.start : two.stop]) for one, two in pairs]


def labelled(shares: Sequence[float] | np.ndarray[Any, Any], labels: Sequence[str]) -> Prediction:
    """The most probable label with all probabilities."""
    values = [float(share) for share in shares]
    return Prediction(output=labels[int(np.argmax(values))], scores=dict(zip(labels, values, strict=True)))


def place_of(label: str, said: str) -> int | None:
    """Where an answer names a label, not as a part of another word; scripts without case write no spaces between words."""
    left, right = (r"(?<![^\W_])" if is_cased(label[:1]) else "", r"(?![^\W_])" if is_cased(label[-1:]) else "")
    match = re.search(left + re.escape(label) + right, said)
    return match.start() if match else None


def is_cased(letter: str) -> bool:
    """Whether a letter belongs to a script that puts spaces between words, or is a digit."""
    return letter.lower() != letter.upper() or letter.isdigit()


def folded(text: str) -> str:
    """Case, accents' form, underscores and outer punctuation put aside."""
    return unicodedata.normalize("NFC", text).casefold().replace("_", " ").strip(" \t\n.:;,!\"'*`«»")


KIND = Classify()
