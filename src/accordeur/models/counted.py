"""An n-gram model over a base's tokens: the floor of raw text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.adapted import AdaptedModel, FloatArray, Message, Prediction, Token, TokenLogProbs, describe
from accordeur.base import Base
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.models._saved import plain_base, read_base
from accordeur.plan import Sampling
from accordeur.tasks import Codec
from accordeur.training.counts import Counted, Level

TABLES = "tables.npz"


class CountedText(AdaptedModel):
    """Kneser-Ney over the ids of a base's tokenizer. Every text begins behind its start token, as for the base itself."""

    def __init__(self, counted: Counted, base: Base) -> None:
        self.counted = counted
        self.base = base
        self.codec = codec_of(base)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """None."""
        raise NotApplicable("an n-gram model of raw text scores, it answers nothing")

    def log_probs(self, examples: Sequence[Example]) -> list[TokenLogProbs]:
        """Of every token of the texts."""
        found = []
        for example in examples:
            text = str(example.expected)
            values = self.counted.log_probs([start_id(self.codec), *self.codec.plain(text)])[1:]
            found.append(TokenLogProbs(log_probs=values.astype(np.float32), characters=len(text)))
        return found

    def features(self, texts: Sequence[str]) -> FloatArray:
        """None."""
        raise NotApplicable("an n-gram model has no vectors")

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Iterator[Token]:
        """None."""
        raise NotApplicable("an n-gram model of raw text does not converse")

    def save(self, folder: Path) -> None:
        """The tables of every order."""
        tables = {
            f"{order}.{field.name}": getattr(level, field.name)
            for order, level in enumerate(self.counted.levels)
            for field in fields(Level)
        }
        np.savez(folder / TABLES, **tables)
        describe(folder, "counted", base=plain_base(self.base), vocabulary=self.counted.vocabulary, order=self.counted.order)

    def facts(self) -> Mapping[str, Any]:
        """What was counted."""
        grams = sum(len(level.keys_G) for level in self.counted.levels)
        return {"trainable_parameters": 0, "moves_base": False, "order": self.counted.order, "ngrams": grams}


def codec_of(base: Base) -> Codec:
    """How texts become ids: an n-gram model reads texts of any length."""
    return Codec(tokenizer=base.tokenizer(), family=base.family, max_length=2**31)


def start_id(codec: Codec) -> int:
    """The token before the first one."""
    tokenizer = codec.tokenizer
    for number in (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.cls_token_id, tokenizer.pad_token_id):
        if number is not None:
            return int(number)
    return 0


def open_model(folder: Path, described: Mapping[str, Any]) -> CountedText:
    """Reopens a saved one."""
    with np.load(folder / TABLES, allow_pickle=False) as tables:
        levels = tuple(
            Level(**{field.name: tables[f"{order}.{field.name}"] for field in fields(Level)})
            for order in range(int(described["order"]))
        )
    return CountedText(Counted(vocabulary=int(described["vocabulary"]), levels=levels), read_base(described["base"]))
