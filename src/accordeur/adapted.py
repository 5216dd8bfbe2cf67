"""What every method ends in: a model that predicts, scores, streams, saves and reopens."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from accordeur.errors import ModelError, NotApplicable
from accordeur.example import Example
from accordeur.plan import Sampling
from accordeur.store import read_json, verify, write_json

FloatArray = npt.NDArray[np.float32]
MODEL_FILE = "model.json"


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """An answer. `scores` maps each label to its probability where the model has one; `sources` names what was read."""

    output: Any
    scores: Mapping[str, float] | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TokenLogProbs:
    """The expected answer's natural-log probabilities, one per token (or one for a label), and its length in characters."""

    log_probs: FloatArray
    characters: int = 0


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, kw_only=True)
class Token:
    """A piece of streamed text and its natural-log probability."""

    text: str
    log_prob: float


class AdaptedModel(ABC):
    """A base adapted to a task, trained or not. A model that can't do one of these raises NotApplicable."""

    @abstractmethod
    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction per example, in order."""

    @abstractmethod
    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """How probable the expected answers are, token by token: loss, forgetting, KL."""

    @abstractmethod
    def features(self, texts: Sequence[str]) -> FloatArray:
        """Sentence vectors, (rows, width)."""

    @abstractmethod
    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Token]:
        """Writes an answer token by token."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Writes only what moved, never a second copy of the base, into an existing folder."""

    @abstractmethod
    def facts(self) -> Mapping[str, Any]:
        """Facts for the record, JSON-ready: trainable_parameters, tokens_trained, curve, choices made on validation."""


def label_log_probs(predictions: Sequence[Prediction], examples: Sequence[Example]) -> list[TokenLogProbs]:
    """The log-probability of each expected label, for models that give a probability to every label."""
    found = []
    for prediction, example in zip(predictions, examples, strict=True):
        if prediction.scores is None:
            raise NotApplicable("this model answers without probabilities")
        probability = max(prediction.scores.get(str(example.expected), 0.0), 1e-15)
        found.append(
            TokenLogProbs(log_probs=np.log(np.asarray([probability], np.float32)), characters=len(str(example.expected)))
        )
    return found


def describe(folder: Path, module: str, **settings: Any) -> None:
    """Writes the file by which a saved model is found again: the module of `accordeur.models` that opens it."""
    write_json(folder / MODEL_FILE, {"schema": 1, "model": module, **settings})


def reopen(folder: Path) -> AdaptedModel:
    """Opens a saved model by the name stored in its folder; every file is checked against the manifest first."""
    verify(folder)
    if not (folder / MODEL_FILE).is_file():
        raise ModelError(f"{folder} holds no {MODEL_FILE}: it is not a saved model")
    described = read_json(folder / MODEL_FILE)
    name = str(described.get("model", ""))
    if not name.isidentifier():
        raise ModelError(f"{folder / MODEL_FILE} names no model: {name!r}")
    try:
        module = importlib.import_module(f"accordeur.models.{name}")
    except ModuleNotFoundError as fault:
        raise ModelError(f"{folder} was saved by a model this version does not have: {name!r}") from fault
    model: AdaptedModel = module.open_model(folder, described)
    return model
