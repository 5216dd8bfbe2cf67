"""What stands on two sides of a split: the same rows, nearly the same ones, and rows of the same group."""

from __future__ import annotations

from accordeur.audit.finding import Finding, Seen, first
from accordeur.audit.subject import Subject
from accordeur.data.bonds import group_of
from accordeur.data.leaks import common

SIDES = (("train", "test"), ("train", "validation"), ("validation", "test"))


def look(subject: Subject) -> Seen:
    """Leaks between each two parts; those that the splitting took out already are only told."""
    findings = []
    for part, other in SIDES:
        if part in subject.parts and other in subject.parts:
            findings += rows_of(subject, part, other)
            findings += near_rows(subject, part, other)
            findings += groups(subject, part, other)
    if subject.left_out:
        places = first(f"{row.place} = {twin.place}" for row, twin in subject.left_out)
        findings.append(Finding(code="left-out", severity="warning", count=len(subject.left_out), rows=places))
    return Seen(findings=tuple(findings))


def rows_of(subject: Subject, part: str, other: str) -> list[Finding]:
    """Rows of one part whose given text another part has too."""
    pairs = common(subject.parts[part], subject.parts[other], subject.keys)
    if not pairs:
        return []
    places = first(f"{row} = {twin}" for row, twin in pairs)
    return [Finding(code="leaked-rows", severity="error", count=len(pairs), rows=places, values={"part": part, "other": other})]


def near_rows(subject: Subject, part: str, other: str) -> list[Finding]:
    """Rows of one part that nearly repeat a row of the other."""
    found = near_leaks(subject, part, other)
    if not found:
        return []
    rows = subject.rows
    places = first(f"{rows[one].place} ≈ {rows[twin].place}" for one, twin in found)
    judged = len({twin for _, twin in found})
    values = {"part": part, "other": other, "judged": judged, "share": 100 * judged / len(subject.parts[other])}
    return [Finding(code="near-leaks", severity="warning", count=len(found), rows=places, values=values)]


def near_leaks(subject: Subject, part: str, other: str) -> list[tuple[int, int]]:
    """(row of `part`, row of `other` that it nearly repeats) as places in `subject.rows`, each row of `part` once."""
    found: dict[int, int] = {}
    for one, twin, _ in subject.near.pairs:
        sides = {subject.part_of[one]: one, subject.part_of[twin]: twin}
        if part in sides and other in sides:
            found.setdefault(sides[part], sides[other])
    return sorted(found.items())


def groups(subject: Subject, part: str, other: str) -> list[Finding]:
    """Groups that have rows in both parts, where a group column is named."""
    if subject.group is None:
        return []
    places = {group_of(row, subject.group): row.place for row in reversed(subject.parts[other])}
    places.pop(None, None)
    leaked = [(row, group) for row in subject.parts[part] if (group := group_of(row, subject.group)) in places]
    if not leaked:
        return []
    values = {"part": part, "other": other, "group": subject.group, "groups": len({group for _, group in leaked})}
    shown = first(f"{row.place} = {places[group]}" for row, group in leaked)
    return [Finding(code="leaked-groups", severity="error", count=len(leaked), rows=shown, values=values)]
