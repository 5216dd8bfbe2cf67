"""A frozen base with a head on its own sentence vectors: logistic regression, or a small network with one hidden layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from accordeur.adapted import AdaptedModel, FloatArray, Message, Prediction, Token, TokenLogProbs, describe, label_log_probs
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.models._saved import plain_base, plain_task, read_base, read_task
from accordeur.models._vectors import Vectors, text_items
from accordeur.models.bag import full_logits
from accordeur.models.judge import answered, score
from accordeur.plan import DevicePlan, Sampling
from accordeur.task import Task
from accordeur.tasks import kind_of
from accordeur.training.device import plan_device

Array = npt.NDArray[Any]
HEAD_FILE = "head.safetensors"
MLP_EPOCHS, MLP_PATIENCE, MLP_RATE, MLP_ROWS = 200, 20, 1e-3, 32  # of the hidden layer: Adam, the best by validation is kept

Encodings = tuple[FloatArray, npt.NDArray[np.int64]]  # vectors of all windows, and the row of each


class Headed(AdaptedModel):
    """Logits = h W + b, (width, classes) and (classes), where h are the features, or relu(features V + c) with a hidden layer."""

    def __init__(
        self,
        task: Task,
        vectors: Vectors,
        weights_WC: FloatArray,
        bias_C: FloatArray,
        facts: Mapping[str, Any],
        hidden: tuple[FloatArray, FloatArray] | None = None,
    ) -> None:
        self.task = task.frame()
        self.vectors = vectors
        self.weights_WC = weights_WC
        self.bias_C = bias_C
        self.hidden = hidden
        self._facts = dict(facts)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """The label of the largest logit, with the softmax of all; long rows are the mean over their windows."""
        return self.answer(examples, self.vectors.of_examples(examples, self.task))

    def answer(self, examples: Sequence[Example], encoded: Encodings) -> list[Prediction]:
        """The same where the rows are encoded already."""
        features, rows = encoded
        if self.hidden is not None:
            features = np.maximum(features @ self.hidden[0] + self.hidden[1], 0)
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
        layers = {"weights": np.ascontiguousarray(self.weights_WC), "bias": self.bias_C}
        if self.hidden is not None:
            layers |= {"hidden.weights": np.ascontiguousarray(self.hidden[0]), "hidden.bias": self.hidden[1]}
        save_file(layers, folder / HEAD_FILE)
        base = plain_base(self.vectors.base)
        describe(folder, "headed", task=plain_task(self.task), base=base, pooling=self.vectors.pooling, facts=self._facts)

    def facts(self) -> Mapping[str, Any]:
        """The head's weights were fitted, unless they are label descriptions; the base did not move."""
        size = sum(int(layer.size) for layer in (self.weights_WC, self.bias_C, *(self.hidden or ())))
        return {"trainable_parameters": size, "moves_base": False, **self._facts}


def fit_headed(task: Task, base: Base, context: Context, *, pooling: str = "own", c: float = 1.0, hidden: int = 0) -> Headed:
    """Encodes every train row once (kept for later runs on the same base), then fits a multinomial logistic regression.

    With `hidden` units: a network with one hidden layer, from which the epoch that is best on validation is kept.
    """
    pooling = base.pooling if pooling == "own" else pooling
    vectors = Vectors(base=base, pooling=pooling, device=context.device, cache=context.cache, stop=context.stop)
    context.note(text="encoding the train rows")
    features, rows = vectors.of_examples(task.train, task)
    context.check_stop()
    context.note(text="fitting the head")
    places = np.asarray([task.labels.index(str(task.train[row].expected)) for row in rows])
    if hidden:
        return fit_hidden(Headed(task, vectors, *nothing(task), {"pooling": pooling}), (features, places), task, hidden, context)
    model = LogisticRegression(C=c, max_iter=2000).fit(features, places)
    weights, bias = spread(full_logits(model), model.classes_, len(task.labels))
    return Headed(task, vectors, weights, bias, {"pooling": pooling, "iterations": int(np.max(model.n_iter_))})


def nothing(task: Task) -> tuple[FloatArray, FloatArray]:
    """A head that says nothing yet."""
    return np.zeros((1, len(task.labels)), np.float32), np.zeros(len(task.labels), np.float32)


def fit_hidden(empty: Headed, train: tuple[Array, Array], task: Task, hidden: int, context: Context) -> Headed:
    """A small network, epoch by epoch with Adam, judged after each by the task's metric on the validation rows."""
    rows = min(MLP_ROWS, len(train[1]))
    network = MLPClassifier((hidden,), learning_rate_init=MLP_RATE, batch_size=rows, random_state=context.seed)
    encoded = empty.vectors.of_examples(task.validation, task)
    best, best_score, best_epoch = empty, -np.inf, 0
    for epoch in range(1, MLP_EPOCHS + 1):
        context.check_stop()
        network.partial_fit(*train, classes=np.unique(train[1]))
        found = layered(empty, network, len(task.labels))
        answers = found.answer(task.validation, encoded)
        judged = [answered(example, given, None) for example, given in zip(task.validation, answers, strict=True)]
        value = score(judged, kind_of(task.kind).metric(task.primary), task)
        if value > best_score:
            best, best_score, best_epoch = found, value, epoch
        if epoch - best_epoch >= MLP_PATIENCE:
            break
    facts = {**empty._facts, "hidden": hidden, "epochs": best_epoch, "validation": float(best_score)}
    return Headed(task, best.vectors, best.weights_WC, best.bias_C, facts, best.hidden)


def layered(empty: Headed, network: MLPClassifier, labels: int) -> Headed:
    """The head that a fitted network is."""
    (inner, outer), (inner_bias, outer_bias) = network.coefs_, network.intercepts_
    if outer.shape[1] == 1:  # two classes: scikit-learn keeps the logit of the second one
        outer, outer_bias = np.hstack([0 * outer, outer]), np.concatenate([0 * outer_bias, outer_bias])
    weights, bias = spread((outer, outer_bias), network.classes_, labels)
    hidden = np.asarray(inner, np.float32), np.asarray(inner_bias, np.float32)
    return Headed(empty.task, empty.vectors, weights, bias, empty._facts, hidden)


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
    hidden = (numbers["hidden.weights"], numbers["hidden.bias"]) if "hidden.weights" in numbers else None
    return Headed(read_task(described["task"]), vectors, numbers["weights"], numbers["bias"], described["facts"], hidden)
