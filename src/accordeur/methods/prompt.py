"""Method `prompt`: the base as it is, asked without examples; the best of several prompts by validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from accordeur.adapted import AdaptedModel
from accordeur.base import Base
from accordeur.context import Context
from accordeur.data.template import render
from accordeur.errors import NotApplicable
from accordeur.example import Encoded
from accordeur.method import Method
from accordeur.models._asking import NO_SHOTS, prompts_of
from accordeur.models._vectors import Vectors
from accordeur.models.ask import choose, open_asking, spread
from accordeur.models.domain import untrained
from accordeur.models.headed import Headed
from accordeur.models.judge import validation_score
from accordeur.task import Task

DESCRIPTIONS = {
    "bare": "{{ label }}",
    "role-task-format": "This text is about {{ label }}.",
    "definitions": "{{ definition }}",
    "step-by-step": "What the author of this text wants is best described as {{ label }}.",
}
SCALES = (1.0, 3.0, 10.0, 30.0, 100.0)  # of the cosine similarity, before the softmax


@dataclass(frozen=True, kw_only=True)
class PromptMethod(Method):
    """Zero-shot. Decoders score labels or write; encoders compare the text with descriptions of the labels."""

    height: ClassVar[int] = 20
    trained: ClassVar[bool] = False
    seeded: ClassVar[bool] = False

    def fit(self, task: Task, base: Base, context: Context) -> AdaptedModel:
        """Picks the prompt on validation rows; nothing else is fitted. A raw text is put to the base without any words around."""
        if base.family == "encoder":
            return by_similarity(task, base, context)
        if task.kind == "text" and base.family != "remote":
            return untrained(task, base, context)
        prompts = prompts_of(task)
        model = open_asking(task, base, prompts[0], context)
        chosen, scores = choose(task, model, {prompt.name: (prompt, NO_SHOTS) for prompt in prompts}, context)
        return chosen.with_facts(prompts=spread(scores))


def by_similarity(task: Task, base: Base, context: Context) -> AdaptedModel:
    """Logits are scaled cosines between the text's vector and those of the labels' descriptions."""
    if task.kind != "classify" or not task.labels:
        raise NotApplicable("an encoder can't be asked to write; it can only compare a text with descriptions of labels")
    vectors = Vectors(base=base, pooling=base.pooling, device=context.device, cache=context.cache, stop=context.stop)
    templates = {**{f"yours-{place}": text for place, text in enumerate(task.prompts, start=1)}, **DESCRIPTIONS}
    models = {
        f"{name}@{scale:g}": described(task, vectors, template, scale) for name, template in templates.items() for scale in SCALES
    }
    scores = {}
    for place, (name, model) in enumerate(models.items(), start=1):
        context.check_stop()
        context.note(step=place, total=len(models), text=f"comparing with {name}")
        scores[name] = context.planned(f"ask-{name}", lambda m=model: ranking(m, task))  # type: ignore[misc]
    best = max(scores, key=lambda name: tuple(scores[name]))
    facts = {"prompt": best.partition("@")[0], "trainable_parameters": 0, "prompts": spread(by_prompt(scores))}
    return Headed(task, vectors, models[best].weights_WC, models[best].bias_C, facts)


def by_prompt(scores: dict[str, list[float]]) -> dict[str, float]:
    """The best score of each description over the scales."""
    names = {name.partition("@")[0]: 0.0 for name in scores}
    return {name: max(score[0] for key, score in scores.items() if key.partition("@")[0] == name) for name in names}


def ranking(model: Headed, task: Task) -> list[float]:
    """What a candidate is chosen by: the primary metric, then the mean log-probability of the labels (it sets the scale)."""
    rows = task.validation
    return [validation_score(model, rows, task), float(np.mean([found.log_probs[0] for found in model.log_probs(rows)]))]


def described(task: Task, vectors: Vectors, template: str, scale: float) -> Headed:
    """A head whose weights are the vectors of the labels' descriptions."""
    codec = vectors.codec(task.max_length)
    definitions = task.definitions or task.labels
    pairs = zip(task.labels, definitions, strict=True)
    texts = [
        render(
            template,
            {"label": label.replace("_", " "), "definition": meaning.replace("_", " "), "text": "", "labels": task.labels},
        )
        for label, meaning in pairs
    ]
    items = [Encoded(tokens=codec.cut(codec.framed(text)[0]), row=row) for row, text in enumerate(texts)]
    found = vectors.of_items(items)
    unit = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return Headed(task, vectors, np.asarray(scale * unit.T, np.float32), np.zeros(len(texts), np.float32), {})
