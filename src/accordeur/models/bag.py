"""A bag of words and characters under a linear classifier: the classical bar, without any language model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from accordeur.adapted import AdaptedModel, FloatArray, Message, Prediction, Token, TokenLogProbs, describe, label_log_probs
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.plan import Sampling
from accordeur.store import read_json, write_json

VOCABULARY_FILE = "vocabulary.json"
WEIGHTS_FILE = "bag.safetensors"
VIEWS: Mapping[str, Mapping[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}


def vectorizers(min_count: int = 1) -> dict[str, TfidfVectorizer]:
    """One TF-IDF vectorizer per view, with sublinear counts; accents are kept, for they tell words apart."""
    return {name: TfidfVectorizer(sublinear_tf=True, min_df=min_count, dtype=np.float32, **view) for name, view in VIEWS.items()}


class Bag(AdaptedModel):
    """TF-IDF of words and characters, then multinomial logistic regression: logits = x W + b."""

    def __init__(
        self, views: Mapping[str, TfidfVectorizer], weights_VC: FloatArray, bias_C: FloatArray, labels: Sequence[str]
    ) -> None:
        self.views = dict(views)
        self.weights_VC = weights_VC
        self.bias_C = bias_C
        self.labels = tuple(labels)

    def matrix(self, texts: Sequence[str]) -> csr_matrix:
        """(rows, vocabulary), sparse."""
        return csr_matrix(hstack([view.transform(texts) for view in self.views.values()]))

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """The label of the largest logit, with the softmax of all."""
        logits = np.asarray(self.matrix([example.text() for example in examples]) @ self.weights_VC + self.bias_C, np.float64)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return [
            Prediction(
                output=self.labels[int(row.argmax())], scores={name: float(p) for name, p in zip(self.labels, row, strict=True)}
            )
            for row in shares
        ]

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """Of the expected labels."""
        return label_log_probs(self.predict(examples), examples)

    def features(self, texts: Sequence[str]) -> FloatArray:
        """None that would be dense."""
        raise NotApplicable("a bag of words has no dense sentence vectors")

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Token]:
        """None."""
        raise NotApplicable("a classifier does not write")

    def save(self, folder: Path) -> None:
        """Vocabularies as JSON, numbers as safetensors."""
        vocabularies = {name: {term: int(place) for term, place in view.vocabulary_.items()} for name, view in self.views.items()}
        write_json(folder / VOCABULARY_FILE, vocabularies)
        numbers = {f"idf.{name}": np.asarray(view.idf_, np.float32) for name, view in self.views.items()}
        save_file({**numbers, "weights": np.ascontiguousarray(self.weights_VC), "bias": self.bias_C}, folder / WEIGHTS_FILE)
        describe(folder, "bag", labels=list(self.labels))

    def facts(self) -> Mapping[str, Any]:
        """Every weight of the classifier was fitted; no base moves."""
        return {"trainable_parameters": int(self.weights_VC.size + self.bias_C.size), "moves_base": False}


def full_logits(model: LogisticRegression) -> tuple[FloatArray, FloatArray]:
    """(weights (features, classes), bias (classes)) of a fitted regression; scikit-learn keeps one row for two classes."""
    weights, bias = np.asarray(model.coef_, np.float32), np.asarray(model.intercept_, np.float32)
    if len(weights) == 1:
        weights, bias = np.concatenate([0 * weights, weights]), np.concatenate([0 * bias, bias])
    return np.ascontiguousarray(weights.T), bias


def open_model(folder: Path, described: Mapping[str, Any]) -> Bag:
    """Reopens a saved one."""
    numbers = load_file(folder / WEIGHTS_FILE)
    views = vectorizers()
    for name, vocabulary in read_json(folder / VOCABULARY_FILE).items():
        views[name].vocabulary_ = vocabulary
        views[name].idf_ = numbers[f"idf.{name}"]
    return Bag(views, numbers["weights"], numbers["bias"], described["labels"])
