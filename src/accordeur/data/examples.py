"""Rows and their shape become examples; whatever a row lacks is reported with its line."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from accordeur.data.build import BUILDERS, Cells
from accordeur.data.journal import Journal, shown
from accordeur.data.labels import Labels
from accordeur.data.normal import SPECIAL_TOKEN
from accordeur.data.row import Row
from accordeur.data.shape import Shape
from accordeur.data.stored import Stored, by_line, kept
from accordeur.example import Example, flatten


def build_examples(rows: Iterable[Row], shape: Shape, journal: Journal) -> Sequence[Example]:
    """One example a good row; bad rows are reported to the journal and left out. The caller calls `journal.check()`.

    Rows are named by their `id` column where it holds texts that are all different, else by their line. Many rows are
    stored in a file instead of being held.
    """
    labels, names, seen = Labels(), Names(taken="id" in shape.columns.values()), Seen(graded="score" in shape.columns)
    found = kept(seen.passing(_good(rows, shape, (labels, names), journal)), shape.kind)
    column = shape.columns.get("label")
    if column is not None:
        labels.judge(column, journal)
    seen.note(shape, journal)
    names.settle(found)
    if not names.why:
        return found
    journal.note(f"column 'id' isn't used to name rows ({names.why}); they are named by their line")
    return replace(found, by_line=True) if isinstance(found, Stored) else tuple(map(by_line, found))


class Names:
    """The ids of rows, as long as every one is a text; `why` says what ended that, or in the end which two are the same."""

    def __init__(self, *, taken: bool) -> None:
        self.taken = taken
        self.marks = array("q")
        self.why = ""

    def of(self, row: Row) -> str | None:
        """The row's own id, or None where there is none or it can't serve."""
        if self.taken or self.why or "id" not in row.values:
            return None
        name = row.values["id"]
        if not isinstance(name, str) or not name:
            self.why = f"not every row has a text there, see {row.file}:{row.line}"
            return None
        self.marks.append(hash(name))
        return name

    def settle(self, found: Sequence[Example]) -> None:
        """Looks for ids that stand twice: among all marks, of 8 bytes each, and then at the rows themselves."""
        if self.why or len(self.marks) != len(found):
            return
        marks = np.frombuffer(self.marks, np.int64)
        order = np.argsort(marks, kind="stable")
        again = np.flatnonzero(np.diff(marks[order]) == 0) + 1
        for place in np.sort(order[again]).tolist():
            name = found[place].id
            if any(found[other].id == name for other in np.flatnonzero(marks[:place] == marks[place]).tolist()):
                self.why = f"'{name}' stands in more than one row"
                return


@dataclass(kw_only=True)
class Seen:
    """What a reader should know of the rows as a whole, gathered while they pass."""

    graded: bool
    special: Counter[str] = field(default_factory=Counter)
    low: float = float("inf")
    high: float = float("-inf")

    def passing(self, examples: Iterable[Example]) -> Iterator[Example]:
        """The same examples."""
        for example in examples:
            if self.graded:
                self.low, self.high = min(self.low, example.expected), max(self.high, example.expected)
            texts = [flatten(value) for value in (*example.given.values(), example.expected)]
            self.special.update({token for text in texts if "<" in text or "[" in text for token in SPECIAL_TOKEN.findall(text)})
            yield example

    def note(self, shape: Shape, journal: Journal) -> None:
        """Notes it."""
        if self.low <= self.high:
            journal.note(f"graded: '{shape.columns['score']}' is kept as a number, {self.low:g} to {self.high:g}")
        if self.special:
            names = shown((f"{name} in {count}" for name, count in self.special.most_common()), 4)
            journal.note(f"text that looks like special tokens is kept as plain text (rows: {names})")


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
