"""What is wrong with some data, said before anything is trained: one file for each sort of check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from accordeur.audit import (
    conflicts,
    damage,
    duplicates,
    languages,
    leakage,
    lengths,
    personal,
    shift,
    sizes,
    special,
    suspects,
)
from accordeur.audit.finding import Audit, Finding, Seen
from accordeur.audit.subject import Subject
from accordeur.data.split import Splits
from accordeur.errors import DataError

__all__ = ["Audit", "Finding", "Subject", "audit", "audit_splits", "refuse", "summary"]

Check = Callable[[Subject], Seen]
EXACT: tuple[Check, ...] = (sizes.look, leakage.look, conflicts.look, duplicates.look)
TEXTS: tuple[Check, ...] = (damage.look, special.look, personal.look, languages.look)
SLOW: tuple[Check, ...] = (suspects.look, lengths.look, shift.look)


def audit(subject: Subject, *, quick: bool = False) -> Audit:
    """Runs the checks; errors stand before warnings. Quick: without suspicious labels, lengths and shift.

    Counts, exact repeats, leaks and conflicts are of all rows; the other checks look at `subject.sample`, which the
    audit says where it is not all of them.
    """
    seen = [sampled(subject), *(check(subject) for check in EXACT)]
    seen += [check(subject.sample) for check in (*TEXTS, *(() if quick else SLOW))]
    findings = sorted((finding for found in seen for finding in found.findings), key=lambda finding: finding.severity != "error")
    facts = {name: value for found in seen for name, value in found.facts.items()}
    return Audit(
        kind=subject.kind, rows={part: len(rows) for part, rows in subject.parts.items()}, findings=tuple(findings), facts=facts
    )


def sampled(subject: Subject) -> Seen:
    """Says where only some of the rows are looked at one by one."""
    looked, total = len(subject.sample.rows), len(subject.rows)
    if looked == total:
        return Seen()
    finding = Finding(code="sampled", severity="warning", count=looked, values={"total": total})
    return Seen(findings=(finding,), facts={"sample": {"rows": looked, "of": total}})


def audit_splits(splits: Splits, kind: str, *, group: str | None = None, quick: bool = False) -> Audit:
    """The audit of splits as they will be learned and judged by; rows that the splitting left out are told, not refused."""
    return audit(Subject(kind=kind, parts=splits.parts(), group=group, left_out=splits.left_out), quick=quick)


def refuse(found: Audit, *, force: bool = False, where: str = "") -> Audit:
    """Raises DataError where there are errors; with `force` they stay in the audit, which then says so."""
    if not found.errors:
        return found
    if force:
        return replace(found, forced=True)
    raise DataError(summary(found.errors), where=where, hint=f"{found.errors[0].said()[1]} To go on all the same: --force")


def summary(findings: Sequence[Finding]) -> str:
    """The findings in a few lines, each with the first rows to look at."""
    lines = [finding.said()[0] + "".join(f"\n    {row}" for row in finding.rows[:5]) for finding in findings]
    return "the audit found errors:\n  " + "\n  ".join(lines)
