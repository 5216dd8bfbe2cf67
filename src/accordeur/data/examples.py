"""Rows and their shape become examples; whatever a row lacks is reported with its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from accordeur.data.build import BUILDERS, Cells
from accordeur.data.journal import Journal, shown
from accordeur.data.labels import Labels
from accordeur.data.normal import SPECIAL_TOKEN
from accordeur.data.row import Row
from accordeur.data.shape import Shape
from accordeur.example import Example, flatten


def build_examples(rows: Iterable[Row], shape: Shape, journal: Journal) -> tuple[Example, ...]:
    """One example a good row; bad rows are reported to the journal and left out. The caller calls `journal.check()`.

    Rows are named by their `id` column where it holds texts that are all different, else by their line.
    """
    labels = Labels()
    found = tuple(_good(rows, shape, labels, journal))
    column = shape.columns.get("label")
    if column is not None:
        labels.judge(column, journal)
    _note(found, shape, journal)
    return _named(found, journal)


def _good(rows: Iterable[Row], shape: Shape, labels: Labels, journal: Journal) -> Iterator[Example]:
    """The examples of the rows without fault."""
    build = BUILDERS[shape.form]
    lacking_before = False
    for row in rows:
        lacking = [column for column in shape.columns.values() if column not in row.values]
        if lacking:
            if not lacking_before:
                journal.fault(row.file, row.line, f"lacks {shown(map(repr, lacking))}, which the shape needs ({shape.reading})")
            lacking_before = True
            continue
        faults: list[str] = []
        cells = Cells(row=row, columns=shape.columns, labels=labels, complain=faults.append)
        given, expected = build(cells)
        for fault in faults:
            journal.problem(row.file, row.line, fault)
        if not faults:
            yield _example(row, shape, given, expected)


def _example(row: Row, shape: Shape, given: dict[str, Any], expected: Any) -> Example:
    used = set(shape.columns.values()) - ({shape.columns["answers"]} if shape.form == "answers" else set())
    extra = {column: value for column, value in row.values.items() if column not in used}
    return Example(id=str(row.line), given=given, expected=expected, extra=extra, file=row.file, line=row.line)


def _named(found: tuple[Example, ...], journal: Journal) -> tuple[Example, ...]:
    """The examples under their own ids, where these are texts and all different."""
    if not found or "id" not in found[0].extra:
        return found
    ids = Counter(each for example in found if isinstance(each := example.extra.get("id"), str) and each)
    if len(ids) == len(found):
        return tuple(_renamed(example) for example in found)
    twice = next((name for name, count in ids.items() if count > 1), None)
    why = f"'{twice}' stands in more than one row" if twice else "not every row has a text there"
    journal.note(f"column 'id' isn't used to name rows ({why}); they are named by their line")
    return found


def _renamed(example: Example) -> Example:
    extra = {column: value for column, value in example.extra.items() if column != "id"}
    return replace(example, id=example.extra["id"], extra=extra)


def _note(found: tuple[Example, ...], shape: Shape, journal: Journal) -> None:
    """Notes what a reader should know of the rows as a whole."""
    if "score" in shape.columns and found:
        grades = [example.expected for example in found]
        journal.note(f"graded: '{shape.columns['score']}' is kept as a number, {min(grades):g} to {max(grades):g}")
    special: Counter[str] = Counter()
    for example in found:
        text = flatten([*example.given.values(), flatten(example.expected)])
        if "<" in text or "[" in text:
            special.update(set(SPECIAL_TOKEN.findall(text)))
    if special:
        names = shown((f"{name} in {count}" for name, count in special.most_common()), 4)
        journal.note(f"text that looks like special tokens is kept as plain text (rows: {names})")
