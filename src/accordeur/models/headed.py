"""A frozen base with a linear head: logistic regression on the base's own sentence vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression

from accordeur.adapted import AdaptedModel, FloatArray, Message, Prediction, Token, TokenLogProbs, describe, label_log_probs
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.models._saved import plain_base, plain_task, read_base, read_task
from accordeur.models._vectors import Vectors, text_items
from accordeur.models.bag import full_logits
from accordeur.plan import DevicePlan, Sampling
from accordeur.task import Task
from accordeur.tasks import kind_of
from accordeur.training.device import plan_device

Array = npt.NDArray[Any]
HEAD_FILE = "head.safetensors"


class Headed(AdaptedModel):
    """Logits = features W + b, (width, classes) and (classes)."""

    def __init__(
        self, task: Task, vectors: Vectors, weights_WC: FloatArray, bias_C: FloatArray, facts: Mapping[str, Any]
    ) -> None:
        self.task = task.frame()
        self.vectors = vectors
        self.weights_WC = weights_WC
        self.bias_C = bias_C
        self._facts = dict(facts)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """The label of the largest logit, with the softmax of all; long rows are the mean over their windows."""
        features, rows = self.vectors.of_examples(examples, self.task)
        logits = np.asarray(features @ self.weights_WC + self.bias_C, np.float32)
        kind, codec = kind_of(self.task.kind), self.vectors.codec(self.task.max_length)
        return [kind.decode(example, [*logits[rows == row]], self.task, codec) for row, example in enumerate(examples)]

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """Of the expected labels."""
        return label_log_probs(self.predict(examples), examples)

    def features(self, texts: Sequence[str]) -> FloatArray:
        """The base's own sentence vectors."""
        return self.vectors.of_items(text_items(texts, self.vectors.codec(self.task.max_length)))

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Token]:
        """None."""
        raise NotApplicable("a classifier does not write")

    def save(self, folder: Path) -> None:
        """Only the head; the base is pointed at."""
        save_file({"weights": np.ascontiguousarray(self.weights_WC), "bias": self.bias_C}, folder / HEAD_FILE)
        base = plain_base(self.vectors.base)
        describe(folder, "headed", task=plain_task(self.task), base=base, pooling=self.vectors.pooling, facts=self._facts)

    def facts(self) -> Mapping[str, Any]:
        """The head's weights were fitted, unless they are label descriptions; the base did not move."""
        size = int(self.weights_WC.size + self.bias_C.size)
        return {"trainable_parameters": size, "moves_base": False, **self._facts}


def fit_headed(task: Task, base: Base, context: Context, *, pooling: str = "own", c: float = 1.0) -> Headed:
    """Encodes every train row once (kept for later runs on the same base), then fits a multinomial logistic regression."""
    pooling = base.pooling if pooling == "own" else pooling
    vectors = Vectors(base=base, pooling=pooling, device=context.device, cache=context.cache, stop=context.stop)
    context.note(text="encoding the train rows")
    features, rows = vectors.of_examples(task.train, task)
    context.check_stop()
    context.note(text="fitting the head")
    places = np.asarray([task.labels.index(str(task.train[row].expected)) for row in rows])
    model = LogisticRegression(C=c, max_iter=2000).fit(features, places)
    weights, bias = spread(full_logits(model), model.classes_, len(task.labels))
    return Headed(task, vectors, weights, bias, {"pooling": pooling, "iterations": int(np.max(model.n_iter_))})


def spread(fitted: tuple[Array, Array], classes: Array, labels: int) -> tuple[Array, Array]:
    """Weights and bias over all labels of the task; a label without train rows gets a logit no row can reach."""
    weights = np.zeros((len(fitted[0]), labels), np.float32)
    bias = np.full(labels, -1e4, np.float32)
    weights[:, classes], bias[classes] = fitted
    return weights, bias


def open_model(folder: Path, described: Mapping[str, Any], base: Base | None = None, device: DevicePlan | None = None) -> Headed:
    """Reopens a saved one."""
    numbers = load_file(folder / HEAD_FILE)
    vectors = Vectors(base=read_base(described["base"], base), pooling=described["pooling"], device=device or plan_device())
    return Headed(read_task(described["task"]), vectors, numbers["weights"], numbers["bias"], described["facts"])
