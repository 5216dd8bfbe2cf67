"""What the audit of the data found, as cards: what it is, what to do, which rows to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.report.figures import Reading


@dataclass(frozen=True, kw_only=True)
class Card:
    """One finding: its severity (error, warning) and that word, its code, two sentences, and the first of its rows."""

    severity: str
    sort: str
    code: str
    what: str
    advice: str
    rows: Sequence[str]


def cards(reading: Reading) -> list[Card]:
    """The findings, errors first, in the language of the report."""
    return [card(reading, finding) for finding in reading.report["audit"].get("findings", ())]


def card(reading: Reading, finding: Mapping[str, Any]) -> Card:
    """One finding, as it was said when it was found."""
    language, severity = reading.words.language, str(finding["severity"])
    return Card(
        severity=severity,
        sort=reading.words(f"audit_{severity}"),
        code=str(finding["code"]),
        what=str(finding["message"][language]),
        advice=str(finding["advice"][language]),
        rows=[str(row) for row in finding["rows"]],
    )


def intro(reading: Reading) -> str:
    """How much was looked through, how it ended, and whether somebody passed over errors."""
    words, audit, write = reading.words, reading.report["audit"], reading.numbers.number
    if not audit:
        return words("data_intro")
    counts = {name: write(audit[name]) for name in ("errors", "warnings")}
    found = words("audit_found" if audit["findings"] else "audit_clean", **counts)
    said = [words("audit_rows", rows=write(sum(audit["rows"].values()))), found]
    return " ".join([*said, *([words("audit_forced")] if audit["forced"] else [])])


def shift(reading: Reading) -> str:
    """Whether test rows look like training rows, where that was measured."""
    found = reading.report["audit"].get("facts", {}).get("shift")
    if not found:
        return ""
    values = {name: reading.numbers.number(found[name], 2) for name in ("auc", "low", "high")}
    return reading.words("audit_shift", **values)
