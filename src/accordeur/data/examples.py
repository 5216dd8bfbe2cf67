"""Rows and their shape become examples; whatever a row lacks is reported with its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

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
    labels, names = Labels(), Names(taken="id" in shape.columns.values())
    found = tuple(_good(rows, shape, (labels, names), journal))
    column = shape.columns.get("label")
    if column is not None:
        labels.judge(column, journal)
    _note(found, shape, journal)
    if not names.why:
        return found
    journal.note(f"column 'id' isn't used to name rows ({names.why}); they are named by their line")
    return tuple(_unnamed(example) for example in found)


class Names:
    """The ids of rows, as long as every one is a text and different; `why` says what ended that."""

    def __init__(self, *, taken: bool) -> None:
        self.taken = taken
        self.seen: set[str] = set()
        self.why = ""

    def of(self, row: Row) -> str | None:
        """The row's own id, or None where there is none or it can't serve."""
        if self.taken or self.why or "id" not in row.values:
            return None
        name = row.values["id"]
        if not isinstance(name, str) or not name:
            self.why = f"not every row has a text there, see {row.file}:{row.line}"
        elif name in self.seen:
            self.why = f"'{name}' stands in more than one row"
        else:
            self.seen.add(name)
            return name
        return None


def _good(rows: Iterable[Row], shape: Shape, kept: tuple[Labels, Names], journal: Journal) -> Iterator[Example]:
    """The examples of the rows without fault."""
    labels, names = kept
    used = set(shape.columns.values()) - ({shape.columns["answers"]} if shape.form == "answers" else set())
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
            extra = {column: value for column, value in row.values.items() if column not in used}
            name = names.of(row)
            if name is not None:
                del extra["id"]
            yield Example(id=name or str(row.line), given=given, expected=expected, extra=extra, file=row.file, line=row.line)


def _unnamed(example: Example) -> Example:
    """The example under its line, with its id among the columns carried along."""
    extra = example.extra if "id" in example.extra else {"id": example.id, **example.extra}
    return replace(example, id=str(example.line), extra=extra)


def _note(found: tuple[Example, ...], shape: Shape, journal: Journal) -> None:
    """Notes what a reader should know of the rows as a whole."""
    if "score" in shape.columns and found:
        grades = [example.expected for example in found]
        journal.note(f"graded: '{shape.columns['score']}' is kept as a number, {min(grades):g} to {max(grades):g}")
    special: Counter[str] = Counter()
    for example in found:
        texts = [flatten(value) for value in (*example.given.values(), example.expected)]
        special.update({token for text in texts if "<" in text or "[" in text for token in SPECIAL_TOKEN.findall(text)})
    if special:
        names = shown((f"{name} in {count}" for name, count in special.most_common()), 4)
        journal.note(f"text that looks like special tokens is kept as plain text (rows: {names})")
