"""What stands on two sides of a split: the same rows, nearly the same ones, and rows of the same group."""

from __future__ import annotations

import numpy as np

from accordeur.audit.finding import Finding, Seen, first
from accordeur.audit.subject import Subject
from accordeur.data.bonds import NO_GROUP, grouped
from accordeur.data.keyed import twins
from accordeur.data.leaks import common, shown_pairs

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
        pairs = (pair for found in subject.left_out for pair in zip(found.rows, found.twins, strict=True))
        places = first(f"{row.place} = {twin.place}" for row, twin in pairs)
        count = sum(len(found.rows) for found in subject.left_out)
        findings.append(Finding(code="left-out", severity="warning", count=count, rows=places))
    return Seen(findings=tuple(findings))


def rows_of(subject: Subject, part: str, other: str) -> list[Finding]:
    """Rows of one part whose given text another part has too."""
    pairs = common(subject.keyed[part], subject.keyed[other])
    if not pairs.count:
        return []
    places = first(f"{row} = {twin}" for row, twin in pairs.shown)
    return [Finding(code="leaked-rows", severity="error", count=pairs.count, rows=places, values={"part": part, "other": other})]


def near_rows(subject: Subject, part: str, other: str) -> list[Finding]:
    """Rows of one part that nearly repeat a row of the other."""
    sample = subject.sample
    found = near_leaks(sample, part, other)
    if not found:
        return []
    places = first(f"{sample.rows[one].place} ≈ {sample.rows[twin].place}" for one, twin in found)
    judged = len({twin for _, twin in found})
    values = {"part": part, "other": other, "judged": judged, "share": 100 * judged / len(sample.parts[other])}
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
    known: dict[str, int] = {}
    theirs = grouped(subject.parts[other], subject.group, known=known)
    mine = grouped(subject.parts[part], subject.group, known=known)
    twin = np.where(mine == NO_GROUP, -1, twins(mine, theirs))
    leaked = np.flatnonzero(twin >= 0)
    if not len(leaked):
        return []
    pairs = shown_pairs(subject.parts[part], subject.parts[other], leaked, twin[leaked])
    values = {"part": part, "other": other, "group": subject.group, "groups": len(np.unique(mine[leaked]))}
    shown = first(f"{row} = {place}" for row, place in pairs.shown)
    return [Finding(code="leaked-groups", severity="error", count=pairs.count, rows=shown, values=values)]
