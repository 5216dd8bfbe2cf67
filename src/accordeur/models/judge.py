"""How a model answers some rows, and what that is worth: the same for validation, test, and every method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accordeur.adapted import AdaptedModel, Prediction, TokenLogProbs
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.run import Answered
from accordeur.task import Task
from accordeur.tasks import Kind, Metric, kind_of

LIKELIHOODS = ("nll", "bits_per_character")  # metrics for which nothing has to be written


def answer_rows(model: AdaptedModel, examples: Sequence[Example], task: Task, *, written: bool = True) -> list[Answered]:
    """What the model says to each row, and how probable it finds the expected answer where the kind asks for that.

    `written=False` leaves out the writing of texts, which takes long, where only likelihoods are needed.
    """
    kind = kind_of(task.kind)
    predictions = predictions_of(model, examples, kind, written)
    likelihoods = log_probs_of(model, examples, kind)
    rows = zip(examples, predictions, likelihoods, strict=True)
    return [answered(example, prediction, likelihood) for example, prediction, likelihood in rows]


def answered(example: Example, prediction: Prediction, likelihood: TokenLogProbs | None) -> Answered:
    """One row's record."""
    return Answered(
        id=example.id,
        expected=example.expected,
        output=prediction.output,
        scores=prediction.scores,
        nll=None if likelihood is None else -float(np.sum(likelihood.log_probs, dtype=np.float64)),
        units=0 if likelihood is None else len(likelihood.log_probs),
        given=example.text(),
    )


def predictions_of(model: AdaptedModel, examples: Sequence[Example], kind: Kind, written: bool) -> Sequence[Prediction]:
    """Predictions, or empty ones where nothing is to be written."""
    if kind.likelihood and not (written and kind.answers):
        return [Prediction(output="")] * len(examples)
    return model.predict(examples)


def log_probs_of(model: AdaptedModel, examples: Sequence[Example], kind: Kind) -> Sequence[TokenLogProbs | None]:
    """Likelihoods where the kind measures them and the model has them."""
    if kind.likelihood:
        try:
            return model.log_probs(examples)
        except NotApplicable:
            pass
    return [None] * len(examples)


def score(rows: Sequence[Answered], metric: Metric, task: Task) -> float:
    """The metric over all rows, turned so that higher is better."""
    value = float(metric.finish(metric.statistics(rows, task.labels).sum(axis=0)))
    return value if metric.higher_is_better else -value


def sample(rows: Sequence[Example], count: int, seed: int) -> Sequence[Example]:
    """Some rows, drawn by the seed, in their own order."""
    if len(rows) <= count:
        return rows
    places = np.random.default_rng(seed).choice(len(rows), count, replace=False)
    return [rows[place] for place in sorted(places)]


def validation_score(model: AdaptedModel, examples: Sequence[Example], task: Task) -> float:
    """The task's primary metric on some rows, higher is better; what early stopping and choices go by."""
    rows = validation_answers(model, examples, task)
    return score(rows, deciding_metric(rows, task), task)


def validation_answers(model: AdaptedModel, examples: Sequence[Example], task: Task) -> list[Answered]:
    """The answers that the primary metric needs; texts are not written for a likelihood."""
    metric = kind_of(task.kind).metric(task.primary)
    return answer_rows(model, examples, task, written=metric.name not in LIKELIHOODS)


def deciding_metric(rows: Sequence[Answered], task: Task) -> Metric:
    """The primary metric, or the next one that these answers allow: a served model has no likelihoods."""
    kind = kind_of(task.kind)
    return next(metric for metric in (kind.metric(task.primary), *kind.metrics) if applies(rows, metric, task))


def applies(rows: Sequence[Answered], metric: Metric, task: Task) -> bool:
    """Whether the answers hold what a metric needs."""
    try:
        metric.statistics(rows, task.labels)
    except NotApplicable:
        return False
    return True
