"""What is given, copied as the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accordeur.adapted import Prediction, TokenLogProbs, describe
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.models._floor import Cache, Rule, open_cache


class Copied(Rule):
    """The input of a row, or its instruction where there is no input, or the last turn of a conversation."""

    def __init__(self, cache: Cache | None) -> None:
        self.cache = cache

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """The same text again."""
        return [Prediction(output=copied_text(example)) for example in examples]

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """Of the expected answers, to one who copies."""
        if self.cache is None:
            raise NotApplicable("a copy has no likelihood without a base's tokenizer")
        return [self.cache.log_probs(str(example.expected), copied_text(example)) for example in examples]

    def save(self, folder: Path) -> None:
        """The frequencies of the train answers."""
        describe(folder, "copied", base=self.cache.save(folder) if self.cache else None)


def copied_text(example: Example) -> str:
    """The text that a copy gives back."""
    given = example.given
    if "messages" in given:
        return str(given["messages"][-1]["content"])
    return str(given.get("input") or given.get("instruction", ""))


def open_model(folder: Path, described: Mapping[str, Any]) -> Copied:
    """Reopens a saved one."""
    return Copied(open_cache(folder, described["base"]))
