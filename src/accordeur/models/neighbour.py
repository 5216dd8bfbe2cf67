"""The answer of the most similar train row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accordeur.adapted import Prediction, TokenLogProbs, describe
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.models._asking import Shots
from accordeur.models._floor import Cache, Rule, open_cache
from accordeur.store import read_json, write_json

POOL_FILE = "pool.json"


class Neighbour(Rule):
    """Rows are alike by the TF-IDF cosine of their letters; a row is never its own neighbour."""

    def __init__(self, pool: Sequence[Example], cache: Cache | None) -> None:
        self.shots = Shots(choice="nearest", count=1, pool=tuple(pool))
        self.cache = cache

    def answers(self, examples: Sequence[Example]) -> list[Any]:
        """What the nearest row says."""
        return [self.shots.pool[places[0]].expected for places in self.shots.nearest(examples)]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Without probabilities."""
        return [Prediction(output=answer) for answer in self.answers(examples)]

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """Of the expected answers, to one who copies those of the neighbours."""
        if self.cache is None:
            raise NotApplicable("a neighbour's answer has no likelihood here")
        pairs = zip(examples, self.answers(examples), strict=True)
        return [self.cache.log_probs(str(example.expected), str(answer)) for example, answer in pairs]

    def save(self, folder: Path) -> None:
        """The train rows, as texts."""
        rows = [{"id": row.id, "text": row.text(), "expected": row.expected} for row in self.shots.pool]
        write_json(folder / POOL_FILE, rows)
        describe(folder, "neighbour", base=self.cache.save(folder) if self.cache else None)


def open_model(folder: Path, described: Mapping[str, Any]) -> Neighbour:
    """Reopens a saved one."""
    rows = read_json(folder / POOL_FILE)
    pool = [Example(id=row["id"], given={"text": row["text"]}, expected=row["expected"]) for row in rows]
    return Neighbour(pool, open_cache(folder, described["base"]))
