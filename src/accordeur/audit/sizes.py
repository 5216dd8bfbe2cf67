"""Rows per part and class: what could not be read, classes too small to learn or to judge, and one that swallows the rest."""

from __future__ import annotations

import itertools

from accordeur.audit.finding import MOST_SHOWN, Finding, Seen, first
from accordeur.audit.subject import Subject
from accordeur.data.keyed import expected_of
from accordeur.data.leaks import class_counts
from accordeur.data.split import is_classes

FEW = 5  # rows of a class, below which its score says little
LOPSIDED = 0.9  # share of the rows that one class may have


def look(subject: Subject) -> Seen:
    """Counts rows and classes."""
    rows = {part: len(found) for part, found in subject.parts.items()}
    findings = bad_rows(subject)
    if not subject.rows or not is_classes(subject.kind, subject.rows):
        return Seen(findings=tuple(findings), facts={"rows": rows})
    classes = class_counts(subject.parts)
    return Seen(findings=(*findings, *small(subject, classes), *lopsided(classes)), facts={"rows": rows, "classes": classes})


def bad_rows(subject: Subject) -> list[Finding]:
    """Rows that are torn, empty or lack something: the reader left them out."""
    if not subject.bad_rows:
        return []
    places = first(f"{problem.file}:{problem.line}: {problem.message}" for problem in subject.bad)
    return [Finding(code="bad-rows", severity="error", count=subject.bad_rows, rows=places)]


def small(subject: Subject, classes: dict[str, dict[str, int]]) -> list[Finding]:
    """Classes of very few rows in the part that is learned from."""
    part = next(iter(subject.parts))
    rare = {label: counts[part] for label, counts in classes.items() if counts[part] < FEW}
    if not rare:
        return []
    found = (place for place, label in enumerate(expected_of(subject.parts[part])) if label in rare)
    places = [subject.parts[part][place].place for place in itertools.islice(found, MOST_SHOWN)]
    named = ", ".join(f"{label} ({count})" for label, count in list(rare.items())[:8])
    return [
        Finding(
            code="small-classes", severity="warning", count=len(rare), rows=first(places), values={"classes": named, "few": FEW}
        )
    ]


def lopsided(classes: dict[str, dict[str, int]]) -> list[Finding]:
    """One class that nearly all rows have."""
    totals = {label: sum(counts.values()) for label, counts in classes.items()}
    label = max(totals, key=lambda name: totals[name])
    share = totals[label] / sum(totals.values())
    if share <= LOPSIDED:
        return []
    return [Finding(code="lopsided", severity="warning", count=totals[label], values={"label": label, "share": 100 * share})]
