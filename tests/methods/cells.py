"""Small tasks and fits that take a fraction of a second: what every method is tried on."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from accordeur.adapted import AdaptedModel, Prediction, reopen
from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.method import Method, build_method, find_method, settings_of
from accordeur.plan import DevicePlan, TrainingPlan
from accordeur.store import digest_file, seal, write_json
from accordeur.task import Task
from accordeur.tasks import kind_of
from tests.bases import tiny

STEPS = 3
KINDS = ("classify", "tag", "extract", "write", "prefer", "text")
FAMILIES = ("encoder", "decoder", "encoder-decoder")
CPU = DevicePlan(device="cpu", threads=1, micro_tokens=512)
FILLER = ["the", "a", "lazy", "quick", "fox", "jumps", "over", "in", "Paris", "London"]
WORDS = {"cat": "paw fur", "dog": "bark leash", "bird": "wing beak"}


def row(kind: str, place: int) -> Example:
    source = random.Random(place)
    label = list(WORDS)[place % 3]
    words = [*source.sample(FILLER, 3), *WORDS[label].split()]
    text = f"{' '.join(words)} {place}"
    given, expected = {
        "classify": ({"text": text}, label),
        "tag": ({"tokens": tuple(words)}, ("O", "O", "O", "B-X", "I-X")),
        "extract": ({"question": "what?", "context": text}, ({"text": words[3], "start": text.index(words[3])},)),
        "write": ({"instruction": f"Say {label} {place}", "input": ""}, f"{label} {place}!"),
        "prefer": ({"prompt": text}, {"chosen": label, "rejected": "no idea"}),
        "text": ({}, f"{text}. {text}"),
    }[kind]
    return Example(id=str(place), given=given, expected=expected, file="rows.jsonl", line=place + 1)


@cache
def task_of(kind: str) -> Task:
    rows = kind_of(kind).prepared([row(kind, place) for place in range(32)])
    return Task(
        name=kind, kind=kind, train=rows[:20], validation=rows[20:26], test=rows[26:], labels=kind_of(kind).labels(rows),
        metrics=kind_of(kind).metric_names(rows), max_length=64,
    )  # type: ignore[arg-type]  # fmt: skip


def context(folder: Path, seed: int = 0) -> Context:
    """Planned beforehand: three steps, so that nothing depends on how busy the machine is."""
    plan = TrainingPlan(steps=STEPS, batch_rows=4, evaluate_every=2, seconds_per_step=0.01, budget_seconds=0.01)
    for stage in ("work", "work/domain"):
        write_json(folder / stage / "plan.json", {"training": plan.plain(), "layers": 1})
    return Context(seed=seed, folder=folder / "work", cache=folder / "cache", budget_seconds=60.0, device=CPU)


def built(name: str, folder: Path, **settings: Any) -> Method:
    """With a raw text where the method takes one, and one rate, as there is no budget to choose among several."""
    known = settings_of(build_method(name))
    if "text" in known:
        corpus = folder / "corpus.txt"
        corpus.write_text("\n".join(str(row("text", place).expected) for place in range(20)), encoding="utf-8")
        settings = {"text": str(corpus), **settings}
    return build_method(name, settings)


def fitted(name: str, kind: str, family: str, folder: Path, seed: int = 0, **settings: Any) -> AdaptedModel:
    folder.mkdir(parents=True, exist_ok=True)
    return built(name, folder, **settings).fit(task_of(kind), tiny(family), context(folder, seed))


@cache
def first_cell(name: str, kind: str) -> tuple[str, AdaptedModel | None]:
    """(the first family on which a method takes a kind, what it made there), or (all the reasons why not, None)."""
    reasons = []
    for family in FAMILIES:
        try:
            return family, fitted(name, kind, family, Path(mkdtemp(prefix="accordeur-cell-")))
        except NotApplicable as reason:
            reasons.append(reason.reason)
    return "; ".join(reasons), None


def saved(model: AdaptedModel, folder: Path) -> Path:
    folder.mkdir(parents=True)
    model.save(folder)
    seal(folder, {})
    return folder


def answers(model: AdaptedModel, kind: str) -> Any:
    """Predictions, or where a kind has none the likelihoods."""
    rows = task_of(kind).test
    if kind_of(kind).answers:
        return [plain(prediction) for prediction in model.predict(rows)]
    return [[Near(value) for value in found.log_probs] for found in model.log_probs(rows)]


class Near(float):
    """Equal up to what another grouping into batches does to sums in float32."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and abs(self - other) < 1e-5

    __hash__ = None  # type: ignore[assignment]


def plain(prediction: Prediction) -> Any:
    return prediction.output, {key: Near(value) for key, value in (prediction.scores or {}).items()}


def weights_digest(base: Base) -> list[str]:
    return [digest_file(path) for path in sorted(base.path.iterdir()) if path.is_file()]


__all__ = ["FAMILIES", "KINDS", "STEPS", "find_method", "reopen"]
