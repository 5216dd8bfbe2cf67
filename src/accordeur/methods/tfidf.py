"""Method `tfidf`: words and characters under logistic regression, the classical bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scipy.sparse import hstack
from sklearn.linear_model import LogisticRegression

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.method import Method
from accordeur.models.bag import Bag, full_logits, vectorizers
from accordeur.task import Task


@dataclass(frozen=True, kw_only=True)
class Tfidf(Method):
    """TF-IDF of word 1-2-grams and character 2-5-grams, then multinomial logistic regression. No language model at all."""

    height: ClassVar[int] = 10
    trained: ClassVar[bool] = True
    seeded: ClassVar[bool] = False

    c: float = 10.0  # inverse strength of the L2 penalty
    min_count: int = 1  # rows a term must occur in

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Fits on the train rows; converges, so there is no budget to keep."""
        if task.kind != "classify" or not task.labels:
            raise NotApplicable("tfidf classifies: it takes kind classify with labels only")
        texts = [example.text() for example in task.train]
        views = vectorizers(self.min_count)
        matrix = hstack([view.fit_transform(texts) for view in views.values()]).tocsr()
        context.check_stop()
        places = [task.labels.index(str(example.expected)) for example in task.train]
        model = LogisticRegression(C=self.c, max_iter=1000).fit(matrix, places)
        return Bag(views, *full_logits(model), [task.labels[place] for place in model.classes_])
