"""Rows that repeat another row of their own part, exactly or nearly."""

from __future__ import annotations

from accordeur.audit.finding import Finding, Seen, first
from accordeur.audit.shingles import letters
from accordeur.audit.subject import NEAR, Subject
from accordeur.data.leaks import Pairs, repeats
from accordeur.example import flatten


def look(subject: Subject) -> Seen:
    """Exact duplicates (case, white space and composition aside), and near ones."""
    findings = []
    shares = {}
    for part, rows in subject.parts.items():
        looked = subject.sample.parts[part]
        near = near_repeats(subject.sample, part)
        counts = {"duplicates": repeats(subject.keyed[part]), "near-duplicates": Pairs(count=len(near), shown=tuple(near))}
        totals = {"duplicates": len(rows), "near-duplicates": len(looked)}
        shares[part] = {"exact": counts["duplicates"].count, "near": len(near), "rows": len(rows)}
        for code, pairs in counts.items():
            if pairs.count:
                values = {"part": part, "total": totals[code], "share": 100 * pairs.count / totals[code]}
                places = first(f"{row} = {twin}" for row, twin in pairs.shown)
                findings.append(Finding(code=code, severity="warning", count=pairs.count, rows=places, values=values))
    near_pairs = subject.sample.near
    limited = [Finding(code="near-limited", severity="warning", count=len(near_pairs.pairs))] if near_pairs.limited else []
    return Seen(findings=(*findings, *limited), facts={"duplicates": shares})


def near_repeats(subject: Subject, part: str) -> list[tuple[str, str]]:
    """(row, an earlier row of the same part that it nearly repeats), each row once."""
    found: dict[int, int] = {}
    for one, other, _ in subject.near.pairs:
        if subject.part_of[one] == subject.part_of[other] == part and same_answer(subject, one, other):
            found.setdefault(other, one)
    return [(subject.rows[other].place, subject.rows[one].place) for other, one in sorted(found.items())]


def same_answer(subject: Subject, one: int, other: int) -> bool:
    """Where many answers may be right, rows are near duplicates only if their answers are alike too."""
    if subject.kind not in ("write", "prefer"):
        return True
    first_set, second_set = (runs(flatten(subject.rows[row].expected)) for row in (one, other))
    return len(first_set & second_set) >= NEAR * len(first_set | second_set)


def runs(text: str) -> set[str]:
    """The runs of four letters of a text."""
    known = letters(text).ljust(4)
    return {known[place : place + 4] for place in range(len(known) - 3)}
