"""Texts that something went wrong with on their way here: torn letters, nothing to read, answers cut at a limit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from accordeur.audit.finding import Finding, Seen, first
from accordeur.audit.subject import Subject
from accordeur.example import flatten

TORN = re.compile("\ufffd|Ã[\u0080-\u00bf¡-¿]|â(?:€|\u0080)[\u0080-\u009f™œ˜“”¦]|Â[°£§«»\u00a0]")
WORD = re.compile(r"[^\W_]")
CLOSED = re.compile(r"[.!?…:;\"'”»)\]}>`。！？]\s*\Z")
LEAST_CUT = 5  # answers of one and the same greatest length, none of which ends like a sentence
LEAST_LENGTH = 40


def look(subject: Subject) -> Seen:
    """Damaged, wordless and cut texts."""
    findings = [
        *matching(subject, "damaged-text", lambda text: TORN.search(text) is not None),
        *matching(subject, "no-words", lambda text: WORD.search(text) is None),
        *cut_answers(subject),
    ]
    return Seen(findings=tuple(findings))


def matching(subject: Subject, code: str, wrong: Callable[[str], bool]) -> list[Finding]:
    """One warning for all rows whose text is wrong."""
    texts = subject.texts if code == "damaged-text" else [row.text() or str(row.expected) for row in subject.rows]
    places = [row.place for row, text in zip(subject.rows, texts, strict=True) if wrong(text)]
    return [Finding(code=code, severity="warning", count=len(places), rows=first(places))] if places else []


def cut_answers(subject: Subject) -> list[Finding]:
    """Answers that pile up at one greatest length without an end: they were cut before they came here."""
    if subject.kind not in ("write", "prefer"):
        return []
    answers = [(row.place, flatten(row.expected).strip()) for row in subject.rows]
    lengths = Counter(len(text) for _, text in answers)
    longest = max(lengths, default=0)
    cut = [place for place, text in answers if len(text) == longest and not CLOSED.search(text)]
    if longest < LEAST_LENGTH or len(cut) < LEAST_CUT:
        return []
    return [Finding(code="cut-answers", severity="warning", count=len(cut), rows=first(cut), values={"length": longest})]
