"""What a report says, in each language it can be written in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from accordeur.report._english import ENGLISH
from accordeur.report._french import FRENCH
from accordeur.report._methods import gloss
from accordeur.report._metrics import metric_words

Language = Literal["en", "fr"]
BREAKS = re.compile(r" (?=[%:?!»])|(?<=«) ")


def unbroken(table: Mapping[str, str]) -> dict[str, str]:
    """The strings with no-break spaces where a line must not end: before a sign of its own (95 %, and in French « : »)."""
    return {key: BREAKS.sub("\u00a0", text).replace(" ;", "\u202f;") for key, text in table.items()}


TABLES: Mapping[Language, Mapping[str, str]] = {
    "en": unbroken(ENGLISH | metric_words(0)),
    "fr": unbroken(FRENCH | metric_words(1)),
}
LANGUAGES: tuple[Language, ...] = tuple(TABLES)


@dataclass(frozen=True, kw_only=True)
class Words:
    """The strings of one language; every language has the same keys with the same values to fill in."""

    language: Language = "en"

    def __call__(self, key: str, **values: object) -> str:
        """A string with its values filled in; KeyError for an unknown key."""
        return TABLES[self.language][key].format(**values)

    def maybe(self, key: str) -> str:
        """A string that only well-known names have; empty for others."""
        return TABLES[self.language].get(key, "")

    def metric(self, name: str) -> str:
        """A metric as people call it; an unknown one by its own name."""
        return self.maybe(f"metric_{name}") or name.replace("_", " ")

    def unit(self, unit: str) -> str:
        """A unit of scores."""
        return self.maybe(f"unit_{unit}") or unit

    def kind(self, name: str) -> str:
        """What a task of this kind is about."""
        return self.maybe(f"kind_{name}") or name

    def method(self, name: str) -> str:
        """What a method does, in a few words; empty for methods unknown here."""
        return gloss(name, self.language)

    def listed(self, names: list[str]) -> str:
        """Names joined as a sentence has them: a, b and c."""
        if len(names) < 2:
            return "".join(names)
        return ", ".join(names[:-1]) + f" {self('and')} {names[-1]}"
