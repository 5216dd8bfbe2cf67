"""The words of a context around which most words of the question stand."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.adapted import Prediction, TokenLogProbs, describe
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.models._floor import Rule

WORD = re.compile(r"\w+")
AROUND = 10  # words on either side of an answer in which words of the question count, the less the farther away they are
INSIDE = 3.0  # how much a word of the question counts against an answer that holds it


class Overlap(Rule):
    """A sliding window, as in the baseline of MCTest (Richardson et al. 2013): words weigh log(1 + 1 / their count here)."""

    def __init__(self, words: int) -> None:
        self.words = words

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Always some words of the context."""
        return [Prediction(output=self.answer(example.given["question"], example.given["context"])) for example in examples]

    def answer(self, question: str, context: str) -> str:
        """The first run of `words` words with the most of the question close to it and the least of it inside."""
        found = list(WORD.finditer(context))
        if not found:
            return context.strip()
        said = [match.group().casefold() for match in found]
        counts, asked = Counter(said), {word.casefold() for word in WORD.findall(question)}
        weights = [math.log(1 + 1 / counts[word]) if word in asked else 0.0 for word in said]
        nearness = 1 - np.abs(np.arange(-AROUND, AROUND + 1)) / (AROUND + 1)
        field = np.convolve(weights, nearness)[AROUND : AROUND + len(found)] - INSIDE * np.asarray(weights)
        size = min(self.words, len(found))
        runs = np.convolve(field, np.ones(size), "valid")
        best = int(np.argmax(np.round(runs, 9)))
        return context[found[best].start() : found[best + size - 1].end()]

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """None."""
        raise NotApplicable("a rule over words gives no probabilities")

    def save(self, folder: Path) -> None:
        """How many words an answer has."""
        describe(folder, "overlap", words=self.words)


def open_model(folder: Path, described: Mapping[str, Any]) -> Overlap:
    """Reopens a saved one."""
    return Overlap(int(described["words"]))
