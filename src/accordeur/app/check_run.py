"""What `accordeur check` does: reads, audits, cleans, and shows what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from accordeur.audit import Audit, Finding, Subject, audit
from accordeur.audit.clean import Change, clean, counted, require_target
from accordeur.audit.finding import first
from accordeur.audit.reading import Collected, collect
from accordeur.data import Reading, SplitRule, split
from accordeur.data.hub import COPIES, hub_copy, hub_name
from accordeur.data.leaks import class_counts
from accordeur.data.split import is_classes
from accordeur.errors import DataError
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of

ROWS_PRINTED = 3


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The audit of some files with what the page shows beside it."""

    name: str
    file: Path
    test: Path | None
    audit: Audit
    changes: tuple[Change, ...] = ()
    copy: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        fix = {"copy": str(self.copy), "left_out": [vars(change) for change in self.changes]} if self.copy else {}
        return {
            "data": self.name,
            "file": str(self.file),
            "test": str(self.test) if self.test else None,
            **self.audit.as_dict(),
            "fix": fix,
        }


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for on the command line: the data as they were named, and the file that holds them."""

    name: str
    file: Path
    test: Path | None = None
    reading: Reading = field(default_factory=Reading)
    group: str | None = None
    base: str | None = None
    max_length: int = 512
    fix: Path | None = None


def located(data: str) -> tuple[Path, Path | None, tuple[str, ...]]:
    """(the file to check, the test rows that come with it, notes): a path as it is, or the copy of a hub dataset."""
    if hub_name(data) is None:
        return Path(data), None, ()
    found = hub_copy(data, COPIES)
    return found.train, found.test, found.notes


def run(request: Request, *, force: bool = False) -> Checked:
    """Reads, audits, and writes the cleaned copy where one is asked for. Files that can't be used become a finding."""
    if request.fix:
        require_target(request.file, request.fix, request.reading.separator)
    try:
        mine = collect(request.file, request.reading)
        other = collect(request.test, request.reading, mine.shape) if request.test else None
    except DataError as fault:
        return Checked(name=request.name, file=request.file, test=request.test, audit=unusable(fault))
    subject = subject_of(request, mine, other)
    found = with_plan(audit(subject), subject)
    found = replace(found, forced=force and bool(found.errors))
    changes = clean(request.file, request.fix, subject, request.reading.separator) if request.fix else []
    return Checked(name=request.name, file=request.file, test=request.test, audit=found, changes=tuple(changes), copy=request.fix)


def subject_of(request: Request, mine: Collected, other: Collected | None) -> Subject:
    """The rows of both files as they stand, with what could not be read."""
    parts = {"train": mine.rows, "test": other.rows} if other else {"file": mine.rows}
    return Subject(
        kind=mine.shape.kind,
        parts=parts,
        group=request.group,
        ruler=ruler(request, mine) if request.base else None,
        bad=mine.bad + (other.bad if other else ()),
        bad_rows=mine.bad_rows + (other.bad_rows if other else 0),
    )


def ruler(request: Request, mine: Collected) -> tuple[Task, Codec]:
    """What rows are measured with: the base's tokenizer, and the task as it would be learned."""
    from accordeur.base import find_base

    base = find_base(request.base or "")
    kind = kind_of(mine.shape.kind)
    limit = min(request.max_length, base.positions or request.max_length)
    task = Task(
        name=request.name,
        kind=kind.name,  # type: ignore[arg-type]
        train=mine.rows,
        validation=(),
        test=(),
        metrics=kind.metric_names(mine.rows),
        labels=kind.labels(mine.rows),
        max_length=limit,
    )
    return task, Codec(tokenizer=base.tokenizer(), family=base.family, max_length=limit)


def unusable(fault: DataError) -> Audit:
    """The audit of a file that can't be used as a whole."""
    where = f"{fault.where}: " if fault.where else ""
    values = {"reason": where + fault.message, "hint": fault.hint}
    rows = first(map(str, fault.problems))
    count = len(fault.problems) + fault.more
    return Audit(
        kind="",
        rows={},
        findings=(Finding(code="unreadable", severity="error", count=count, rows=rows, values=values),),
        facts={},
    )


def with_plan(found: Audit, subject: Subject) -> Audit:
    """Adds how a comparison would divide the rows, or why it can't."""
    mine, *others = subject.parts.values()
    try:
        splits = split(mine, kind=subject.kind, rule=SplitRule(group=subject.group), test=others[0] if others else None)
    except DataError as fault:
        values = {"reason": fault.message, "hint": fault.hint}
        finding = Finding(
            code="no-split", severity="error", count=len(fault.problems), rows=first(map(str, fault.problems)), values=values
        )
        return replace(found, findings=(finding, *found.findings))
    parts = splits.parts()
    planned: dict[str, Any] = {"rows": {part: len(rows) for part, rows in parts.items()}}
    if is_classes(subject.kind, splits.train):
        planned["classes"] = class_counts(parts)
    return replace(found, facts={**found.facts, "planned": planned})


def show(found: Checked, folder: Path, language: str, notes: Sequence[str] = ()) -> None:
    """Prints the findings and where the page is."""
    from rich.console import Console
    from rich.text import Text

    from accordeur.app.check_words import WORDS
    from accordeur.report.format import clean as visible

    words, console = WORDS[language], Console()
    for note in notes:
        console.print(Text(visible(note), style="dim"), soft_wrap=True)
    for finding in found.audit.findings:
        what, advice = finding.said(language)
        style = "bold red" if finding.severity == "error" else "yellow"
        console.print(Text(words[finding.severity], style=style), Text(visible(what)), soft_wrap=True)
        for row in finding.rows[:ROWS_PRINTED]:
            console.print(Text(f"    {visible(row)}", style="dim"), soft_wrap=True)
        if len(finding.rows) > ROWS_PRINTED:
            console.print(Text("    …", style="dim"))
        console.print(Text(f"  → {visible(advice)}"), soft_wrap=True)
    for why, count in counted(list(found.changes)).items():
        console.print(Text(f"{words['left_out']} ({words['why_' + why]}): {count}"), soft_wrap=True)
    if found.copy:
        console.print(Text(f"{words['cleaned']}: {found.copy}"), soft_wrap=True)
    total = words["total"].format(errors=len(found.audit.errors), warnings=len(found.audit.warnings))
    console.print(Text(f"{total} · {folder / 'check.html'}"), soft_wrap=True)
