"""A model on a base that was itself adapted first: the grown base is saved inside, and opens as a base of its own."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from accordeur.adapted import MODEL_FILE, AdaptedModel, FloatArray, Message, Prediction, Token, TokenLogProbs, describe
from accordeur.base import Base, open_base
from accordeur.example import Example
from accordeur.models._saved import plain_base
from accordeur.plan import DevicePlan, Sampling
from accordeur.store import MANIFEST, read_json, write_json

BASE_FOLDER, INNER_FOLDER = "base", "inner"


class Grown(AdaptedModel):
    """Answers as the inner model does. `origin` is the base from which the grown one came."""

    def __init__(self, inner: AdaptedModel, grown: Base, origin: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        self.inner = inner
        self.grown = grown
        self.origin = dict(origin)
        self._facts = dict(facts)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """As the inner model."""
        return self.inner.predict(examples)

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """As the inner model."""
        return self.inner.log_probs(examples)

    def features(self, texts: Sequence[str]) -> FloatArray:
        """As the inner model: of the grown base."""
        return self.inner.features(texts)

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Token]:
        """As the inner model."""
        return self.inner.stream(messages, sampling)

    def save(self, folder: Path) -> None:
        """The grown base as a plain folder, and the inner model beside it."""
        shutil.copytree(self.grown.path, folder / BASE_FOLDER, ignore=shutil.ignore_patterns(MANIFEST))
        (folder / INNER_FOLDER).mkdir()
        self.inner.save(folder / INNER_FOLDER)
        described = read_json(folder / INNER_FOLDER / MODEL_FILE)
        own = {**described["base"], "folder": f"../{BASE_FOLDER}"}
        write_json(folder / INNER_FOLDER / MODEL_FILE, {**described, "base": own})
        describe(folder, "grown", origin=self.origin, name=self.grown.name, facts=self._facts)

    def facts(self) -> Mapping[str, Any]:
        """Those of the inner model; every weight of the base has moved."""
        inner = dict(self.inner.facts())
        own = {"trainable_parameters": self.grown.parameters, "moves_base": True}
        return {**inner, **own, "language_head": bool(inner.get("language_head", False)), **self._facts}


def grown_from(inner: AdaptedModel, grown: Base, origin: Base, facts: Mapping[str, Any]) -> Grown:
    """A model that was just fitted."""
    return Grown(inner, grown, plain_base(origin), facts)


def open_model(folder: Path, described: Mapping[str, Any], device: DevicePlan | None = None) -> Grown:
    """Reopens a saved one; the base that it came from is not needed."""
    base = open_base(folder / BASE_FOLDER, described["name"])
    own = read_json(folder / INNER_FOLDER / MODEL_FILE)
    module = importlib.import_module(f"accordeur.models.{own['model']}")
    inner = module.open_model(folder / INNER_FOLDER, own, base=base, device=device)
    return Grown(inner, base, described["origin"], described["facts"])
