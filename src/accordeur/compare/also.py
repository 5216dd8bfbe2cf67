"""Other data that every run is scored on beside its test rows: read like the data, checked before anything is trained."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from accordeur.base import Base
from accordeur.data import Loaded, Reading, load_examples
from accordeur.data.bonds import without
from accordeur.data.journal import shown
from accordeur.data.keyed import joined, keyed, taken
from accordeur.errors import DataError, Problem, RecipeError
from accordeur.example import Example
from accordeur.recipe import Recipe
from accordeur.task import Task
from accordeur.tasks import Codec, Kind

NAME = re.compile(r"[\w][\w.-]{0,39}")

Others = dict[str, Sequence[Example]]


def read_others(recipe: Recipe, loaded: Loaded, kind: Kind, task: Task) -> tuple[Others, list[str]]:
    """(the rows of each other distribution by its name, notes). Raises RecipeError for a name, DataError for the rows."""
    others: Others = {}
    notes: list[str] = []
    for name, file in recipe.also.items():
        if not NAME.fullmatch(name):
            raise RecipeError(f"also: {name[:80]!r} can't name a file", hint="letters, digits, `_`, `-` and `.`, at most 40")
        reading = Reading(mapping=recipe.mapping or None, separator=recipe.separator)
        _, rows, _ = load_examples(Path(file), reading=reading, shape=loaded.shape)
        others[name], more = checked(name, rows, kind, task)
        notes += more
    return others, notes


def checked(name: str, rows: Sequence[Example], kind: Kind, task: Task) -> tuple[Sequence[Example], list[str]]:
    """The rows in the form of the kind, without those that were seen in training or choosing."""
    if problems := kind.check(rows):
        raise DataError(f"{len(problems)} rows can't be used", where=rows[0].file, problems=problems)
    ready = kind.prepared(rows)
    require_known(ready, kind, task)
    mine, seen = keyed(ready, kind.name), joined([keyed(part, kind.name) for part in (task.train, task.validation)])
    found = without(mine, seen)
    if not len(found.kept):
        raise DataError(f"no rows of {name} are left: all of them are also train or validation rows", where=rows[0].file)
    count = len(found.left_out)
    pairs = zip(taken(ready, found.left_out[:4]), taken(seen.rows, found.twins[:4]), strict=True)
    places = shown((f"{row.place} = {twin.place}" for row, twin in pairs), 3, count)
    told = f"{count} rows of {name} left out, because train or validation rows hold them too: {places}"
    return mine.take(found.kept).rows, [told] if count else []


def require_known(rows: Sequence[Example], kind: Kind, task: Task) -> None:
    """Refuses labels that the task does not have, with the lines."""
    strange = set(kind.labels(rows)) - set(task.labels)
    if not strange:
        return
    lines = [(row, sorted(set(kind.labels([row])) & strange)) for row in rows]
    problems = [
        Problem(file=row.file, line=row.line, message=f"unknown label {', '.join(map(repr, found))}")
        for row, found in lines
        if found
    ]
    message = f"{len(problems)} rows have labels that the task doesn't know; its labels: {shown(task.labels, 12)}"
    raise DataError(
        message, where=rows[0].file, hint="rename or remove them: what was never learned can't be answered", problems=problems
    )


def cut_notes(others: Mapping[str, Sequence[Example]], task: Task, base: Base, kind: Kind) -> list[str]:
    """How many rows are longer than the limit, where some are."""
    if base.family == "remote" or not others:
        return []
    codec = Codec(tokenizer=base.tokenizer(), family=base.family, max_length=task.max_length)
    cut = {name: sum(kind.length(row, task, codec)[0] > task.max_length for row in rows) for name, rows in others.items()}
    return [
        f"{count} of {len(others[name])} rows of {name} are cut at {task.max_length} tokens"
        for name, count in cut.items()
        if count
    ]
