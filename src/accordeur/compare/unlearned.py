"""Labels that occur where nothing is learned: types of entity, or unanswerable questions, that no train row has.

Classes are refused outright when rows are split. A rare type of entity may well be missing from the train rows by chance, and
its test rows are then honest mistakes of every method: that is said, and the comparison goes on.
"""

from __future__ import annotations

from accordeur.data import Splits
from accordeur.data.journal import shown
from accordeur.tasks import Kind


def unlearned_notes(splits: Splits, kind: Kind) -> list[str]:
    """One note for each part that has such labels, with how many of its rows they concern."""
    parts = splits.parts()
    known = set(kind.labels(parts["train"]))
    notes = []
    for name in ("validation", "test"):
        strange = set(kind.labels(parts[name])) - known
        if strange:
            rows = sum(bool(strange & set(kind.labels([row]))) for row in parts[name])
            types = sorted({label.partition("-")[2] or label for label in strange})
            notes.append(f"{rows} {name} rows have labels that no train row has, and can't be right: {shown(types)}")
    return notes
