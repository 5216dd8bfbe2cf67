"""Rows for the tests of the audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accordeur.audit import Audit, Finding, Subject
from accordeur.example import Example


def labelled(rows: Sequence[tuple[str, str]], file: str = "rows.jsonl", **extra: Sequence[Any]) -> tuple[Example, ...]:
    """Texts with their labels, one a line; `extra` gives further columns."""
    return tuple(
        Example(
            id=str(line),
            given={"text": text},
            expected=label,
            extra={name: values[line - 1] for name, values in extra.items()},
            file=file,
            line=line,
        )
        for line, (text, label) in enumerate(rows, start=1)
    )


def instructed(rows: Sequence[tuple[str, str]], file: str = "rows.jsonl") -> tuple[Example, ...]:
    """Instructions with their answers."""
    return tuple(
        Example(id=str(line), given={"instruction": ask, "input": ""}, expected=answer, file=file, line=line)
        for line, (ask, answer) in enumerate(rows, start=1)
    )


def subject(rows: tuple[Example, ...], kind: str = "classify", test: tuple[Example, ...] | None = None, **more: Any) -> Subject:
    """The rows of one file, or of a training and a test file."""
    parts = {"file": rows} if test is None else {"train": rows, "test": test}
    return Subject(kind=kind, parts=parts, **more)


def finding(found: Audit, code: str) -> Finding:
    """The one finding of a code."""
    (one,) = [each for each in found.findings if each.code == code]
    return one


def codes(found: Audit) -> list[str]:
    """The codes of all findings."""
    return [each.code for each in found.findings]
