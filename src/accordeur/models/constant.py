"""The floor: always the same answer, with the frequencies of the train rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.adapted import (
    AdaptedModel,
    FloatArray,
    Message,
    Prediction,
    Token,
    TokenLogProbs,
    describe,
    label_log_probs,
)
from accordeur.base import Base
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.models._saved import plain_base, read_base
from accordeur.plan import Sampling

UNIGRAM_FILE = "unigram.npy"


class Constant(AdaptedModel):
    """One answer for every row. `shares`: probability per label; `unigram`: log-probability per token id, for texts."""

    def __init__(
        self,
        answer: Any,
        *,
        shares: Mapping[str, float] | None = None,
        base: Base | None = None,
        unigram: FloatArray | None = None,
    ) -> None:
        self.answer = answer
        self.shares = dict(shares) if shares is not None else None
        self.base = base
        self.unigram = unigram

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """The same answer each time."""
        return [Prediction(output=self.answer, scores=self.shares)] * len(examples)

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """Label frequencies; for texts a unigram model of the answers' tokens."""
        if self.shares is not None:
            return label_log_probs(self.predict(examples), examples)
        if self.base is None or self.unigram is None:
            raise NotApplicable("a constant answer has no likelihood without a base's tokenizer")
        tokenizer = self.base.tokenizer()
        found = []
        for example in examples:
            ids = answer_tokens(tokenizer, str(example.expected))
            found.append(TokenLogProbs(log_probs=self.unigram[ids], characters=len(str(example.expected))))
        return found

    def features(self, texts: Sequence[str]) -> FloatArray:
        """None."""
        raise NotApplicable("a constant answer reads no text")

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Token]:
        """The answer at once."""
        yield Token(text=str(self.answer), log_prob=0.0)

    def save(self, folder: Path) -> None:
        """The answer and the frequencies."""
        if self.unigram is not None:
            np.save(folder / UNIGRAM_FILE, self.unigram, allow_pickle=False)
        describe(folder, "constant", answer=self.answer, shares=self.shares, base=plain_base(self.base) if self.base else None)

    def facts(self) -> Mapping[str, Any]:
        """Nothing was trained."""
        return {"trainable_parameters": 0, "moves_base": False}


def answer_tokens(tokenizer: Any, text: str) -> list[int]:
    """The ids of an answer and its end, as language models are scored on them."""
    ids: list[int] = tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
    return [*ids, tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else ids


def unigram_log_probs(answers: Sequence[str], base: Base) -> FloatArray:
    """Log-probabilities of all token ids, from their counts in the answers with one added to each (Laplace)."""
    tokenizer = base.tokenizer()
    counts = np.ones(len(tokenizer), np.float64)
    for answer in answers:
        np.add.at(counts, answer_tokens(tokenizer, answer), 1)
    return np.asarray(np.log(counts / counts.sum()), np.float32)


def open_model(folder: Path, described: Mapping[str, Any]) -> Constant:
    """Reopens a saved one."""
    path = folder / UNIGRAM_FILE
    return Constant(
        described["answer"],
        shares=described["shares"],
        base=read_base(described["base"]) if described["base"] else None,
        unigram=np.load(path, allow_pickle=False) if path.exists() else None,
    )
