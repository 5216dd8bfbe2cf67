"""A dictionary of tags: every word gets the one it had most often, whatever stands around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accordeur.adapted import Prediction, TokenLogProbs, describe
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.models._floor import Rule
from accordeur.store import read_json, write_json
from accordeur.tasks.tag import repaired

WORDS_FILE = "words.json"


class Lexicon(Rule):
    """Tags by word; a word never seen gets `default`."""

    def __init__(self, tags: Mapping[str, str], default: str) -> None:
        self.tags = dict(tags)
        self.default = default

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Word by word; impossible sequences are repaired and counted, as for every tagger."""
        return [repaired([self.tags.get(token, self.default) for token in example.given["tokens"]]) for example in examples]

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """None."""
        raise NotApplicable("a dictionary of tags gives no probabilities")

    def save(self, folder: Path) -> None:
        """The words that are not tagged by default."""
        write_json(folder / WORDS_FILE, {word: tag for word, tag in self.tags.items() if tag != self.default})
        describe(folder, "lexicon", default=self.default)


def open_model(folder: Path, described: Mapping[str, Any]) -> Lexicon:
    """Reopens a saved one."""
    return Lexicon(read_json(folder / WORDS_FILE), described["default"])
