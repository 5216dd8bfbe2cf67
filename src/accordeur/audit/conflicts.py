"""The same text with several labels."""

from __future__ import annotations

from accordeur.audit.finding import Finding, Seen, Severity, first
from accordeur.audit.subject import Subject
from accordeur.data.keyed import joined, keyed
from accordeur.data.leaks import conflicting
from accordeur.data.split import is_classes

MOST = 0.05  # share of the rows that may contradict another row; more is no label set but noise


def look(subject: Subject) -> Seen:
    """Texts that stand with more than one label (or other tags)."""
    if subject.kind != "tag" and not (subject.rows and is_classes(subject.kind, subject.rows)):
        return Seen()
    found = conflicting(joined([*subject.keyed.values(), *(keyed(part.rows, subject.kind) for part in subject.left_out)]))
    if not found:
        return Seen()
    rows = sum(sum(conflict.labels.values()) for conflict in found)
    severity: Severity = "error" if rows > MOST * len(subject.rows) else "warning"
    places = first(" = ".join(conflict.places) + f" ({', '.join(map(short, conflict.labels))})" for conflict in found)
    values = {"texts": len(found), "share": 100 * rows / len(subject.rows)}
    return Seen(findings=(Finding(code="conflicting-labels", severity=severity, count=rows, rows=places, values=values),))


def short(label: str) -> str:
    """A label that fits in a list."""
    return label if len(label) <= 40 else label[:39] + "…"
