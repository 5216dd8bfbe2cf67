"""Labels as texts: each value kept exactly, and a set of labels that mixes types refused with its counts."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

from accordeur.data.journal import Journal, shown
from accordeur.data.json_value import kind_of
from accordeur.data.turns import Complain

NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")


class Labels:
    """Turns values into labels one by one, and remembers what was seen, to judge the whole set at the end."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.first: dict[str, tuple[str, int]] = {}
        self.types: dict[str, str] = {}

    def read(self, value: Any, column: str, place: tuple[str, int], complain: Complain) -> str:
        """A value as a label: text as it stands, 5 as "5", 1.5 as "1.5", true as "true"."""
        label = as_label(value, column, complain)
        if label:
            self.counts[label] += 1
            self.first.setdefault(label, place)
            self.types.setdefault(kind_of(value), label)
        return label

    def judge(self, column: str, journal: Journal) -> None:
        """Reports a set of labels that mixes types, or numbers with words; notes labels that differ in case only."""
        if not self.counts:
            return
        numbers = [label for label in self.counts if NUMBER.fullmatch(label)]
        words = [label for label in self.counts if not NUMBER.fullmatch(label)]
        if len(self.types) > 1:
            mixed = " and ".join(f"{kind} ({self._at(label)})" for kind, label in self.types.items())
            self._fault(f"'{column}' mixes {mixed}", journal)
        elif numbers and words:
            self._fault(f"'{column}' mixes words ({self._at(words[0])}) and numbers ({self._at(numbers[0])})", journal)
        folded = Counter(label.casefold() for label in self.counts)
        alike = [label for label in self.counts if folded[label.casefold()] > 1]
        if alike:
            journal.note(f"labels that differ only in upper and lower case are kept apart: {shown(map(repr, alike))}")

    def _at(self, label: str) -> str:
        return f"{label!r} in line {self.first[label][1]}"

    def _fault(self, message: str, journal: Journal) -> None:
        counts = shown((f"{label!r} {count}" for label, count in self.counts.most_common()), 12)
        file, line = min(self.first.values(), key=lambda place: place[1])
        journal.fault(file, line, f"{message}; the labels and their rows: {counts}; write all labels the same way")


def as_label(value: Any, column: str, complain: Complain) -> str:
    """One label as text, or "" once its fault is reported."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) and not (isinstance(value, float) and not math.isfinite(value)):
        return repr(value)
    if not isinstance(value, str):
        complain(f"'{column}' is {kind_of(value)}; expected a label")
        return ""
    if not value.strip():
        complain(f"'{column}' is empty; expected a label")
        return ""
    if value != value.strip():
        complain(f"'{column}' is {value!r}, with space around it; expected {value.strip()!r}")
    return value


def as_score(value: Any, column: str, complain: Complain) -> float:
    """A grade as a finite number; a text is read as one only if it is nothing else."""
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e300 else math.inf
    elif isinstance(value, str) and NUMBER.fullmatch(value.strip()) and "," not in value:
        number = float(value)
    if not math.isfinite(number):
        seen = repr(value[:40]) if isinstance(value, str) else str(value) if isinstance(value, float) else kind_of(value)
        complain(f"'{column}' is {seen}; expected a number")
        return 0.0
    return number
