"""Putting a row into words for a model that is only asked: prompt templates and worked examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from accordeur.data.template import render
from accordeur.errors import NotApplicable, RecipeError
from accordeur.example import Example
from accordeur.task import Task
from accordeur.tasks import kind_of


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A named template over the given columns, `labels`, `definitions` and `shots`."""

    name: str
    template: str


@dataclass(frozen=True, kw_only=True)
class Shots:
    """Worked examples put before every question: the same ones, or for each row the nearest of the train rows."""

    choice: Literal["fixed", "nearest"]
    count: int
    pool: tuple[Example, ...]

    def of(self, examples: Sequence[Example]) -> list[tuple[Example, ...]]:
        """The worked examples of each row; the nearest one stands last, next to the question."""
        if self.choice == "fixed" or not self.count:
            return [self.pool[: self.count]] * len(examples)
        return [tuple(self.pool[place] for place in reversed(places)) for places in self.nearest(examples)]

    def nearest(self, examples: Sequence[Example]) -> list[list[int]]:
        """Places in the pool of the nearest rows by TF-IDF cosine; a row is never shown to itself."""
        vectorizer, table = self.index
        found = []
        for example in examples:
            likeness = np.asarray((vectorizer.transform([example.text()]) @ table.T).todense()).ravel()
            order = np.argsort(-likeness, kind="stable")[: self.count + 1]
            found.append([int(place) for place in order if self.pool[place].id != example.id][: self.count])
        return found

    @cached_property
    def index(self) -> tuple[TfidfVectorizer, Any]:
        """Character n-grams: they find neighbours in any language, through typos too."""
        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
        return vectorizer, vectorizer.fit_transform([example.text() for example in self.pool])


NO_SHOTS = Shots(choice="fixed", count=0, pool=())


def questions(examples: Sequence[Example], prompt: Prompt, shots: Shots, task: Task) -> list[str]:
    """Every row as the text that is put to the model."""
    shown = shots.of(examples)
    return [question(example, prompt, own, task) for example, own in zip(examples, shown, strict=True)]


def question(example: Example, prompt: Prompt, shots: Sequence[Example], task: Task) -> str:
    """One row in words. A template that has no place for worked examples gets them in front."""
    kind = kind_of(task.kind)
    worked = "".join(kind.shot(shot, task) for shot in shots)
    definitions = dict(zip(task.labels, task.definitions or task.labels, strict=True))
    values = {**given_columns(example), "labels": list(task.labels), "definitions": definitions, "shots": worked}
    text = render(prompt.template, values)
    return text if "shots" in prompt.template else worked + text


def given_columns(example: Example) -> Mapping[str, Any]:
    """The given columns by name, and for conversations the last turn as `instruction`, so that every prompt can use it."""
    if "messages" in example.given:
        return {**example.given, "instruction": example.given["messages"][-1]["content"], "input": ""}
    return example.given


def prompts_of(task: Task) -> list[Prompt]:
    """The user's prompts where there are any, and the built-in ones. NotApplicable for kinds that ask for nothing in words."""
    if task.kind in ("prefer", "text"):
        raise NotApplicable(f"rows of kind {task.kind} ask for no answer in words")
    own = [Prompt(name=f"yours-{place}", template=text) for place, text in enumerate(task.prompts, start=1)]
    return [*own, *(Prompt(name=name, template=text) for name, text in kind_of(task.kind).prompts(task).items())]


def read_prompts(files: Sequence[str]) -> tuple[str, ...]:
    """The user's prompt files as templates."""
    texts = []
    for name in files:
        try:
            texts.append(Path(name).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as fault:
            raise RecipeError(
                f"prompt file {name} can't be read: {fault}", hint="a UTF-8 text file with columns as {{ text }}"
            ) from fault
    return tuple(texts)
