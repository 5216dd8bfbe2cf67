"""A cleaned copy of a file, in the same format and with the same columns; the original is never touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accordeur.audit.copies import copy_rows
from accordeur.audit.leakage import near_leaks
from accordeur.audit.subject import Subject
from accordeur.data.bonds import without
from accordeur.data.keyed import Keyed, numbered, taken, twins
from accordeur.data.leaks import conflicting, repeated
from accordeur.data.sniff import Format, format_of
from accordeur.data.stored import Places
from accordeur.errors import RecipeError
from accordeur.example import Example
from accordeur.store import write_stream


@dataclass(frozen=True, kw_only=True)
class Change:
    """A row that the copy lacks: why (bad, leaked, leaked-group, near-leak, conflict, duplicate), and because of which row."""

    row: str
    why: str
    because: str = ""


def removals(subject: Subject) -> dict[str, Change]:
    """The rows of the first part that a copy does without, by place. Near duplicates of its own rows and doubtful labels stay."""
    part = next(iter(subject.parts))
    mine = subject.keyed[part]
    found: dict[str, Change] = {}

    def leave_out(places: Places, why: str, others: Sequence[Example], because: Places) -> None:
        for row, twin in zip(taken(mine.rows, places), taken(others, because), strict=True):
            found.setdefault(row.place, Change(row=row.place, why=why, because=twin.place))

    for other in [name for name in subject.parts if name != part]:
        theirs = subject.parts[other]
        leaked = twins(mine.given, subject.keyed[other].given)
        leave_out(np.flatnonzero(leaked >= 0), "leaked", theirs, leaked[leaked >= 0])
        if subject.group:
            parted = without(mine, subject.keyed[other], group=subject.group)
            leave_out(parted.left_out, "leaked-group", theirs, parted.twins)
        sample = subject.sample
        near = np.array(near_leaks(sample, part, other), np.int64).reshape(-1, 2)
        for one, twin in zip(taken(sample.rows, near[:, 0]), taken(sample.rows, near[:, 1]), strict=True):
            found.setdefault(one.place, Change(row=one.place, why="near-leak", because=twin.place))
    if subject.kind in ("classify", "tag"):
        rows, firsts = conflicted(mine)
        leave_out(rows, "conflict", mine.rows, firsts)
    again, firsts = repeated(mine)
    leave_out(again, "duplicate", mine.rows, firsts)
    return found


def conflicted(part: Keyed) -> tuple[Places, Places]:
    """(the rows whose text stands with several labels, the first row of each one's text), as places."""
    several = {conflict.places[0] for conflict in conflicting(part)}
    texts = numbered(part.given)
    first = [place for place in texts.first.tolist() if part.rows[place].place in several]
    rows = np.flatnonzero(np.isin(texts.first[texts.of], first))
    return rows, texts.first[texts.of[rows]]


def clean(path: Path, out: Path, subject: Subject, separator: str | None = None) -> list[Change]:
    """Writes the copy and lists what it leaves out. Raises RecipeError where it can't be written, before anything is."""
    format = require_target(path, out, separator)
    part = next(iter(subject.parts))
    removed = removals(subject)
    kept = {row.line for row in subject.parts[part] if row.place not in removed}
    if not kept:
        raise RecipeError(f"nothing would be left of {path}", hint="look at the findings: are the right columns read?")
    write_stream(out, lambda target: copy_rows(path, target, format, kept, separator))
    mine = [problem for problem in subject.bad if problem.file == str(path)]
    bad = {problem.line: Change(row=f"{problem.file}:{problem.line}", why="bad", because=problem.message) for problem in mine}
    return [*bad.values(), *removed.values()]


def require_target(path: Path, out: Path, separator: str | None) -> Format:
    """The common format of both; refuses to write over anything, and formats that have no rows to leave out."""
    if out.exists():
        what = "is the file itself" if out.samefile(path) else "exists already"
        raise RecipeError(f"--fix {out} {what}", hint="give the name of a new file")
    if path.is_dir():
        raise RecipeError(f"{path} is a folder", hint="--fix cleans one file of rows")
    format = format_of(path, separator)
    if format.name == "text":
        hint = "--fix cleans .jsonl, .json, .csv, .tsv and .parquet"
        raise RecipeError(f"{path} is a plain text, which has no rows to leave out", hint=hint)
    if format_of(out, separator) != format:
        raise RecipeError(f"--fix {out} has another format than {path}", hint=f"give it the ending {''.join(path.suffixes[-2:])}")
    return format


def counted(changes: list[Change]) -> Mapping[str, int]:
    """How many rows were left out for each reason."""
    return {why: sum(change.why == why for change in changes) for why in dict.fromkeys(change.why for change in changes)}
