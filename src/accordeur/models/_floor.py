"""What answers by a rule, without any network, has in common: it has no vectors and does not converse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.adapted import AdaptedModel, FloatArray, Message, Token, TokenLogProbs
from accordeur.base import Base
from accordeur.errors import NotApplicable
from accordeur.models._saved import plain_base, read_base
from accordeur.models.constant import answer_tokens, unigram_log_probs
from accordeur.plan import Sampling

UNIGRAM_FILE = "unigram.npy"
CACHED = 0.5  # share of the probability that the copied text gets


class Rule(AdaptedModel):
    """Answers by a rule. What it says and how it is stored is left to each; it has no weights."""

    def features(self, texts: Sequence[str]) -> FloatArray:
        """None."""
        raise NotApplicable("a rule has no sentence vectors")

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Token]:
        """None."""
        raise NotApplicable("a rule does not converse")

    def facts(self) -> Mapping[str, Any]:
        """Nothing was trained."""
        return {"trainable_parameters": 0, "moves_base": False}


class Cache:
    """How probable an answer is to somebody who copies a text: half the words of the train answers, half those of the text.

    A unigram cache model (Kuhn and De Mori 1990) over the tokens of a base, so that a copied answer has a likelihood too.
    """

    def __init__(self, base: Base, unigram: FloatArray) -> None:
        self.base = base
        self.unigram = unigram
        self.tokenizer = base.tokenizer()

    def log_probs(self, expected: str, copied: str) -> TokenLogProbs:
        """Of the expected answer, token by token, for one who copies `copied`."""
        ids, own = answer_tokens(self.tokenizer, expected), Counter(answer_tokens(self.tokenizer, copied))
        shares = np.asarray([own[token] for token in ids], np.float64) / max(1, own.total())
        mixed = (1 - CACHED) * np.exp(self.unigram[ids].astype(np.float64)) + CACHED * shares
        return TokenLogProbs(log_probs=np.asarray(np.log(mixed), np.float32), characters=len(expected))

    def save(self, folder: Path) -> dict[str, Any]:
        """Writes the frequencies; gives the pointer to the base."""
        np.save(folder / UNIGRAM_FILE, self.unigram, allow_pickle=False)
        return plain_base(self.base)


def cache_of(answers: Sequence[str], base: Base) -> Cache | None:
    """From the train answers; none over a served model, whose tokens are not here."""
    return None if base.family == "remote" else Cache(base, unigram_log_probs(answers, base))


def open_cache(folder: Path, described: Mapping[str, Any] | None) -> Cache | None:
    """Reads it back."""
    if described is None:
        return None
    return Cache(read_base(described), np.load(folder / UNIGRAM_FILE, allow_pickle=False))
