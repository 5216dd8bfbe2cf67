"""How well each type of entity is found, method by method: what kind `tag` has in place of a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from accordeur.report.scores import Scored
from accordeur.tasks._entities import EntityRow, entity_table, entity_types


def entity_entries(group: Sequence[Scored], labels: Sequence[str]) -> list[dict[str, Any]]:
    """Every type of entity of a task with precision, recall, F1 and counts on the test rows, the most frequent first.

    Seeds are averaged. Of a type that no test row holds nothing is known: its scores are None.
    """
    tables = [{row.kind: row for row in entity_table(scored.record.test)} for scored in group]
    types = {*entity_types(labels), *(kind for table in tables for kind in table)}
    entries = [entity_entry([table.get(kind, EntityRow(kind=kind)) for table in tables]) for kind in types if tables]
    return sorted(entries, key=lambda entry: (-entry["expected"], entry["type"]))


def entity_entry(seeds: Sequence[EntityRow]) -> dict[str, Any]:
    """One type over the seeds of a method, which all have the same test rows."""
    first = seeds[0]
    scores = {
        "precision": fmean(row.precision for row in seeds),
        "recall": fmean(row.recall for row in seeds),
        "f1": fmean(row.f1 for row in seeds),
    }
    known = scores if first.expected else dict.fromkeys(scores)
    return {"type": first.kind, "expected": first.expected, "given": fmean(row.given for row in seeds), **known}
