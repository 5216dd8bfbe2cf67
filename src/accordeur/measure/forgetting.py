"""Forgetting: what a base could do in general before it was adapted, and what is left of it after."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from accordeur.adapted import AdaptedModel, FloatArray
from accordeur.base import Base
from accordeur.data import load_examples
from accordeur.data.read import is_raw_text
from accordeur.errors import DataError, NotApplicable
from accordeur.evidence.metric import Metric as Scale
from accordeur.evidence.metric import RowStatistics
from accordeur.evidence.pairing import paired_difference
from accordeur.example import Encoded, Example
from accordeur.models._vectors import Vectors
from accordeur.plan import DevicePlan
from accordeur.store import fingerprint, write_bytes
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.tasks._kind import column, ratio
from accordeur.training import scoring
from accordeur.training.network import Network

FOLDS = 5
ACCURACY = Scale(name="accuracy", finish=ratio)
LOSS = Scale(name="nll", finish=ratio, higher_is_better=False, unit="nats", bounds=None)
Statistics = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Ability:
    """A general ability: texts to model (loss in nats per token) or labelled texts to probe (accuracy)."""

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()  # empty: the texts themselves are modelled

    @property
    def metric(self) -> str:
        """How it is measured."""
        return f"{self.name}_accuracy" if self.labels else f"{self.name}_nll"


@lru_cache
def general_text() -> Ability:
    """The embedded general prose, English and French, one passage a row."""
    folder = resources.files("accordeur") / "assets" / "general"
    passages = [
        part for name in ("en.txt", "fr.txt") for part in (folder / name).read_text("utf-8").split("\n\n") if part.strip()
    ]
    return Ability(name="general", texts=tuple(part.strip() for part in passages))


@lru_cache
def general_probe() -> Ability:
    """The embedded topic task, English and French."""
    lines = (resources.files("accordeur") / "assets" / "general" / "probe.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    labels = tuple(row["label"] for row in rows)
    return Ability(name="general", texts=tuple(row["text"] for row in rows), labels=labels)


def retained(path: Path) -> Ability:
    """The user's own general ability: raw text, or rows with labels."""
    shape, examples, _ = load_examples(path)
    texts = tuple(example.text() or str(example.expected) for example in examples)
    if shape.kind == "classify" and not is_raw_text(path):
        return Ability(name="retain", texts=texts, labels=tuple(str(example.expected) for example in examples))
    if shape.kind in ("text", "write"):
        whole = tuple(f"{example.text()}\n{example.expected}".strip() for example in examples)
        return Ability(name="retain", texts=whole if shape.kind == "write" else texts)
    raise DataError(f"rows of kind {shape.kind} can't be retained", where=str(path), hint="give raw text, or texts with labels")


@dataclass(frozen=True, kw_only=True)
class Before:
    """What the base could do, measured once and kept in the cache for all runs."""

    base: Base
    device: DevicePlan
    cache: Path
    max_length: int = 512
    kind: str = "write"  # of the task: `text` is read in windows, all others cut it where the base ends

    @cached_property
    def vectors(self) -> Vectors:
        """Sentence vectors of the untouched base."""
        return Vectors(base=self.base, pooling=self.base.pooling, device=self.device, cache=self.cache)

    def statistics(self, ability: Ability) -> Statistics:
        """(rows, 2) sums: right and one, or nats and tokens."""
        name = fingerprint(
            [self.base.fingerprint, ability.name, ability.texts, ability.labels, self.max_length, self.kind == "text"]
        )
        return kept(self.cache / "general" / f"{name}.npy", lambda: self.measure(ability))

    def measure(self, ability: Ability) -> Statistics:
        """The measurement itself."""
        if ability.labels:
            codec = self.vectors.codec(self.max_length)
            items = [Encoded(tokens=codec.cut(codec.framed(text)[0]), row=row) for row, text in enumerate(ability.texts)]
            return probe(self.vectors.of_items(items), ability.labels)
        model, tokenizer = self.base.load()
        codec = Codec(tokenizer=tokenizer, family=self.base.family, max_length=self.max_length)
        kind, task = kind_of("text" if self.kind == "text" else "write"), text_task(self.max_length)
        rows = list(enumerate(text_examples(ability)))
        parts = [kind.encode(example, row, task, codec) for row, example in rows]
        network = Network(model, "seq2seq" if self.base.family == "encoder-decoder" else "causal")
        found = iter(scoring.log_probs(network, [item for part in parts for item in part], self.device, codec.pad))
        return nats([np.concatenate([next(found) for _ in part]) for part in parts])


def kept(path: Path, make: Callable[[], Statistics]) -> Statistics:
    """An array from its file, or made and written there, atomically."""
    if path.is_file():
        stored: Statistics = np.load(path, allow_pickle=False)
        return stored
    made = make()
    write_bytes(path, array_bytes(made))
    return made


def array_bytes(array: Statistics) -> bytes:
    """An array in numpy's own format."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def text_task(max_length: int) -> Task:
    """Raw text as rows of kind `write` with nothing given."""
    return Task(name="general", kind="write", train=(), validation=(), test=(), metrics=("nll",), max_length=max_length)


def text_examples(ability: Ability) -> list[Example]:
    """The passages as rows with nothing given: the whole text is what is expected."""
    return [Example(id=str(place), given={}, expected=text) for place, text in enumerate(ability.texts)]


def nats(log_probs: Sequence[FloatArray]) -> Statistics:
    """(rows, 2): summed nats and tokens."""
    return np.asarray([[-float(np.sum(row, dtype=np.float64)), len(row)] for row in log_probs])


def probe(features: FloatArray, labels: Sequence[str]) -> Statistics:
    """Cross-validated accuracy of a linear probe on fixed folds, row by row (Alain and Bengio 2017)."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    unit = np.asarray(features) / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    said = cross_val_predict(LogisticRegression(C=10.0, max_iter=1000), unit, np.asarray(labels), cv=folds)
    return column(said == np.asarray(labels))


def abilities(base: Base, retain: Ability | None) -> list[Ability]:
    """What can be measured on this base: its language where it has a language head, else a probe on its vectors."""
    general = general_probe() if base.family == "encoder" else general_text()
    return [general, *([retain] if retain else [])]


def forgetting(model: AdaptedModel, before: Before, retain: Ability | None = None) -> dict[str, Any] | None:
    """The change of the general ability by adapting, with its paired 95 % interval over rows; positive means lost.

    Exactly zero where nothing of the base moved. None where nothing can be measured (a served model).
    """
    if before.base.family == "remote":
        return None
    found: dict[str, Any] = {}
    for ability in abilities(before.base, retain):
        usable = ability if ability.labels or can_write(model) else general_probe()
        found[ability.name] = change(model, before, usable)
    general = found.pop("general")
    return {**general, **({"retain": found["retain"]} if "retain" in found else {})}


def can_write(model: AdaptedModel) -> bool:
    """Whether the adapted model still has its language head, or never left its base."""
    facts = model.facts()
    return bool(facts.get("language_head", True)) or not facts.get("moves_base")


def change(model: AdaptedModel, before: Before, ability: Ability) -> dict[str, Any]:
    """Before, after, and what was lost with its interval."""
    first = before.statistics(ability)
    moved = bool(model.facts().get("moves_base"))
    second = after(model, ability, before.max_length) if moved else first
    scale = ACCURACY if ability.labels else LOSS
    better, worse = (first, second) if ability.labels else (second, first)
    lost = paired_difference(RowStatistics(values=better), RowStatistics(values=worse), scale)
    value = {"metric": ability.metric, "before": float(ratio(first.sum(0))), "after": float(ratio(second.sum(0)))}
    bounds = (lost.difference, lost.low, lost.high) if moved else (0.0, 0.0, 0.0)
    return {**value, **dict(zip(("change", "low", "high"), bounds, strict=True)), "rows": len(ability.texts)}


def after(model: AdaptedModel, ability: Ability, max_length: int) -> Statistics:
    """The ability of the adapted model."""
    if ability.labels:
        return probe(model.features(ability.texts), ability.labels)
    try:
        return nats([found.log_probs for found in model.log_probs(text_examples(ability))])
    except NotApplicable as reason:
        raise NotApplicable(f"forgetting can't be measured: {reason.reason}") from reason
