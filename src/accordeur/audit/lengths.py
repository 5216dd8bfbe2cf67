"""How long rows are, which would be cut, and which would then have nothing left to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.audit.finding import Finding, Seen, Severity, first
from accordeur.audit.subject import Subject
from accordeur.example import Example
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.tasks._spoken import MOST_CUT

MOST_ROWS = 20_000  # measured with a tokenizer, spread evenly over the data
BINS = 24


def look(subject: Subject) -> Seen:
    """The histogram of lengths, in tokens of the base where one is given, else in words; then cuts."""
    subject = subject.thinned(MOST_ROWS)
    rows = subject.rows
    if not rows:
        return Seen()
    if subject.ruler is None:
        words = np.array([len(text.split()) for text in subject.texts])
        return Seen(facts={"lengths": histogram(words, "words")})
    task, codec = subject.ruler
    kind = kind_of(task.kind)
    found = np.array([kind.length(row, task, codec) for row in rows])
    losses = {"limit": codec.max_length, "lost_answer_tokens": int(found[:, 1].sum())}
    facts: dict[str, Any] = {**histogram(found[:, 0], "tokens"), **losses}
    findings = [*cut(rows, found, codec), *untrainable(rows, found, task, codec)]
    return Seen(findings=tuple(findings), facts={"lengths": facts})


def histogram(lengths: npt.NDArray[np.int64], unit: str) -> dict[str, Any]:
    """Counts by length, the last bin open towards the longest; middle, 95 % and longest."""
    middle, high = (int(np.quantile(lengths, share)) for share in (0.5, 0.95))
    top = max(BINS, int(np.quantile(lengths, 0.99)) + 1)
    counts, edges = np.histogram(np.minimum(lengths, top), bins=BINS, range=(0, top))
    longest = int(lengths.max())
    return {
        "unit": unit, "rows": len(lengths), "edges": edges.round(1).tolist(), "counts": counts.tolist(),
        "median": middle, "most_95": high, "longest": longest,
    }  # fmt: skip


def cut(rows: Sequence[Example], found: npt.NDArray[np.int64], codec: Codec) -> list[Finding]:
    """Rows longer than the limit; an error where they are more than a few."""
    long = [row for row, (length, _) in zip(rows, found, strict=True) if length > codec.max_length]
    if not long:
        return []
    values = {
        "limit": codec.max_length,
        "share": 100 * len(long) / len(rows),
        "lost": int(found[:, 1].sum()),
        "enough": int(np.ceil(np.quantile(found[:, 0], 1 - MOST_CUT))),
    }
    severity: Severity = "error" if len(long) > MOST_CUT * len(rows) else "warning"
    return [Finding(code="cut-rows", severity=severity, count=len(long), rows=first(row.place for row in long), values=values)]


def untrainable(rows: Sequence[Example], found: npt.NDArray[np.int64], task: Task, codec: Codec) -> list[Finding]:
    """Rows of whose answer no token is left once they are cut."""
    kind = kind_of(task.kind)
    lost = [row for row, (_, tokens) in zip(rows, found, strict=True) if tokens > 0]
    empty = [row.place for row in lost if not any(item.units for item in kind.encode(row, 0, task, codec))]
    values = {"limit": codec.max_length}
    return [Finding(code="untrainable", severity="error", count=len(empty), rows=first(empty), values=values)] if empty else []
