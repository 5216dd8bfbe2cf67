"""What the audit found, as plain data: errors that refuse, warnings, the rows to look at, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from accordeur.audit._english import ENGLISH
from accordeur.audit._french import FRENCH

Severity = Literal["error", "warning"]
Language = Literal["en", "fr"]
WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = {"en": ENGLISH, "fr": FRENCH}
PARTS = {"fr": {"train": "apprentissage", "file": "fichier"}}
MOST_SHOWN = 50
BEFORE, AFTER = re.compile(r" (?=[:;?!%»])"), re.compile(r"(?<=«) ")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One fault of the data: how many rows have it, and the first of them as file:line (or `file:line = file:line`).

    `values` fills in the sentences of its code; shares are between 0 and 1.
    """

    code: str
    severity: Severity
    count: int
    rows: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def said(self, language: str = "en") -> tuple[str, str]:
        """(what was found, what to do) in a language."""
        values = {name: written(value, language) for name, value in {**self.values, "count": self.count}.items()}
        for name in values.keys() & {"part", "other"}:
            values[name] = PARTS.get(language, {}).get(values[name], values[name])
        what, advice = (sentence.format(**values) for sentence in WORDS[language][self.code])
        return (bound(what), bound(advice)) if language == "fr" else (what, advice)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON, said in every language."""
        said = {language: self.said(language) for language in WORDS}
        return {
            "code": self.code,
            "severity": self.severity,
            "count": self.count,
            "rows": list(self.rows),
            "values": dict(self.values),
            "message": {language: what for language, (what, _) in said.items()},
            "advice": {language: advice for language, (_, advice) in said.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one check gives: its findings, and the facts worth showing even where nothing is wrong."""

    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Everything the checks found about some data. `forced`: somebody chose to go on in spite of errors."""

    kind: str
    rows: Mapping[str, int]
    findings: tuple[Finding, ...]
    facts: Mapping[str, Any]
    forced: bool = False

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that refuse."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that only warn."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            "schema": 1,
            "kind": self.kind,
            "rows": dict(self.rows),
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "forced": self.forced,
            "findings": [finding.as_dict() for finding in self.findings],
            "facts": dict(self.facts),
        }


def bound(text: str) -> str:
    """French signs with the space that belongs to them, at which no line may break."""
    return BEFORE.sub("\u00a0", AFTER.sub("\u00a0", text))


def first(places: Iterable[str]) -> tuple[str, ...]:
    """The places that are shown."""
    return tuple(places)[:MOST_SHOWN]


def written(value: Any, language: str) -> str:
    """A value in a sentence: shares and other decimals with two digits, by the customs of the language."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f" if language == "fr" else ",")
    text = f"{value:.2f}"
    return text.replace(".", ",") if language == "fr" else text
