"""Putting a row into words for a model that is only asked: prompt templates and worked examples."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from accordeur.adapted import Prediction
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
            order = np.argsort(-likeness, kind="stable")
            others = (int(place) for place in order if not same_row(self.pool[place], example))
            found.append(list(islice(others, self.count)))
        return found

    @cached_property
    def index(self) -> tuple[TfidfVectorizer, Any]:
        """Character n-grams: they find neighbours in any language, through typos too."""
        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
        return vectorizer, vectorizer.fit_transform([example.text() for example in self.pool])


NO_SHOTS = Shots(choice="fixed", count=0, pool=())
MARK = "\ue000"  # a sign of the private use area, which stands in no template


def same_row(one: Example, other: Example) -> bool:
    """Whether two are the same row. Their ids alone don't tell: without a column of ids they are the line numbers of a file."""
    return one.id == other.id and one.text() == other.text()


def questions(examples: Sequence[Example], prompt: Prompt, shown: Sequence[Sequence[Example]], task: Task) -> list[str]:
    """Every row, behind the worked examples shown with it, as the text that is put to the model."""
    return [question(example, prompt, own, task) for example, own in zip(examples, shown, strict=True)]


def question(example: Example, prompt: Prompt, shots: Sequence[Example], task: Task) -> str:
    """One row in words. A template that has no place for worked examples gets them in front."""
    kind = kind_of(task.kind)
    worked = "".join(kind.shot(shot, task) for shot in shots)
    definitions = dict(zip(task.labels, task.definitions or task.labels, strict=True))
    values = {**given_columns(example), "labels": list(task.labels), "definitions": definitions, "shots": worked}
    text = render(prompt.template, values)
    return text if "shots" in prompt.template else worked + text


def beginning(shots: Sequence[Example], task: Task) -> str:
    """The first line that all worked examples begin with, whatever is given in them: `Text:`, `### Instruction:`.

    Nothing where there is no example, or no letter in that line, which could then stand in any answer.
    """
    kind = kind_of(task.kind)
    laid = [kind.shot(replace(shot, given=marked(shot.given)), task).partition(MARK)[0].strip() for shot in shots]
    lines = {text.partition("\n")[0].rstrip() for text in laid}
    first = lines.pop() if len(lines) == 1 else ""
    return first if any(letter.isalpha() for letter in first) else ""


def marked(value: Any) -> Any:
    """What is given with a mark before every text in it: what stands before the first is the template's own."""
    if isinstance(value, str):
        return value and MARK + value
    if isinstance(value, Mapping):
        return {name: part if name == "role" else marked(part) for name, part in value.items()}
    return tuple(marked(part) for part in value) if isinstance(value, list | tuple) else value


def until_next(text: str, sign: str) -> str:
    """A written answer up to the next line that begins as the worked examples do: from there on the base invents another one."""
    return re.split(rf"\n\s*{re.escape(sign)}", text, maxsplit=1)[0] if sign else text


def read_answers(
    written: Sequence[str], examples: Sequence[Example], shown: Sequence[Sequence[Example]], task: Task
) -> list[Prediction]:
    """What a model wrote behind its worked examples, as the kind reads written answers."""
    kind = kind_of(task.kind)
    texts = [until_next(text, beginning(own, task)) for text, own in zip(written, shown, strict=True)]
    return [Prediction(output=kind.read(text, task, example)) for text, example in zip(texts, examples, strict=True)]


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
