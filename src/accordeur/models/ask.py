"""Choosing how to ask: prompts and worked examples compared on validation rows, the spread over them kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.models._asking import NO_SHOTS, Prompt, Shots
from accordeur.models._writing import longest_answer
from accordeur.models.asked import Asked
from accordeur.models.judge import sample, validation_score
from accordeur.models.served import Served, served_model
from accordeur.task import Task
from accordeur.tasks import Codec

CHOICE_ROWS = 100  # validation rows on which prompts are compared

Asking = Asked | Served


def open_asking(task: Task, base: Base, prompt: Prompt, context: Context) -> Asking:
    """The base behind a first prompt."""
    if base.family == "encoder":
        raise NotApplicable("an encoder can't be asked in words; give a decoder or an encoder-decoder as --base")
    if base.family == "remote":
        return Served(task, base, prompt, NO_SHOTS, {"model": served_model(base.name)})
    asked = Asked(task, base, prompt, NO_SHOTS, context.device, {})
    codec = Codec(tokenizer=asked.loaded[1].tokenizer, family=base.family, max_length=task.max_length)
    return asked.with_facts(answer_limit=longest_answer(task.train, task, codec))


def choose(
    task: Task, model: Asking, candidates: Mapping[str, tuple[Prompt, Shots]], context: Context
) -> tuple[Asking, dict[str, float]]:
    """The candidate that scores best on a sample of the validation rows, and all their scores (higher is better).

    Each score is stored as it is found, so that a resumed run goes on with the next candidate.
    """
    rows = sample(task.validation, CHOICE_ROWS, context.seed)
    scores: dict[str, float] = {}
    for place, (name, (prompt, shots)) in enumerate(candidates.items(), start=1):
        context.check_stop()
        context.note(step=place, total=len(candidates), text=f"asking with {name}")
        scores[name] = context.planned(f"ask-{name}", lambda p=prompt, s=shots: validation_score(model.asking(p, s), rows, task))  # type: ignore[misc]
    best = max(scores, key=lambda name: scores[name])
    return model.asking(*candidates[best]), scores


def spread(scores: Mapping[str, float]) -> dict[str, Any]:
    """How much the choice matters: best, worst and standard deviation of the candidates' validation scores."""
    values = list(scores.values())
    return {"scores": dict(scores), "best": max(values), "worst": min(values), "deviation": float(np.std(values))}
