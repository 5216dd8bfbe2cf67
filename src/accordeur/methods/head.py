"""Method `head`: the base stays frozen; a logistic regression learns on its sentence vectors, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from sklearn.linear_model import LogisticRegression

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.method import Method
from accordeur.models._vectors import Vectors
from accordeur.models.bag import full_logits
from accordeur.models.headed import Headed
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class Head(Method):
    """Features by the base's own pooling, then multinomial logistic regression with an L2 penalty."""

    height: ClassVar[int] = 40
    trained: ClassVar[bool] = True
    seeded: ClassVar[bool] = False

    pooling: Literal["own", "cls", "mean", "last", "max"] = "own"
    c: float = 1.0  # inverse strength of the L2 penalty, scikit-learn's default

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Encodes every train row once; the encoding is shared with later runs on the same base."""
        if base.family == "remote":
            raise NotApplicable("this base can't be trained: a served model gives no sentence vectors")
        if task.kind != "classify" or not task.labels:
            raise NotApplicable("head classifies: it takes kind classify with labels only")
        pooling = base.pooling if self.pooling == "own" else self.pooling
        vectors = Vectors(base=base, pooling=pooling, device=context.device, cache=context.cache, stop=context.stop)
        context.note(text="encoding the train rows")
        features, rows = vectors.of_examples(task.train, task)
        context.check_stop()
        context.note(text="fitting the head")
        places = np.asarray([task.labels.index(str(task.train[row].expected)) for row in rows])
        model = LogisticRegression(C=self.c, max_iter=2000).fit(features, places)
        weights, bias = spread(full_logits(model), model.classes_, len(task.labels))
        return Headed(task, vectors, weights, bias, {"pooling": pooling, "iterations": int(np.max(model.n_iter_))})


def spread(fitted: tuple[np.ndarray, np.ndarray], classes: np.ndarray, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias over all labels of the task; a label without train rows gets a logit no row can reach."""
    weights = np.zeros((len(fitted[0]), labels), np.float32)
    bias = np.full(labels, -1e4, np.float32)
    weights[:, classes], bias[classes] = fitted
    return weights, bias
