"""Tokenizers of all kinds on the same texts: how long, how complete, how faithful, how fast."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.errors import DataError
from accordeur.foundations.stored import encode
from accordeur.foundations.tokenizers import Kind, TokenizerRequest, train_tokenizer

KINDS: tuple[Kind, ...] = ("bpe", "wordpiece", "unigram", "char", "word")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One tokenizer on one text."""

    kind: str
    text: str  # its name: train, unseen en, ...
    vocabulary: int
    tokens_per_word: float  # words are what stands between spaces
    tokens_per_byte: float
    unknown: float  # share of the tokens
    coverage: float  # share of the vocabulary that occurs
    lost: float  # share of the lines that don't come back as they were
    characters_per_second: float  # wall time, of encoding


def compare_tokenizers(train: Sequence[str], texts: Mapping[str, Sequence[str]], size: int) -> list[Measured]:
    """Trains every kind on `train`, at most `size` entries each, and measures it on the named texts (lines each)."""
    rows = []
    for kind in KINDS:
        tokenizer = train_tokenizer(iter(train), TokenizerRequest(kind=kind, size=size, exact=False))
        rows += [measure(kind, name, tokenizer, lines) for name, lines in {"train": train, **texts}.items()]
    return rows


def measure(kind: str, name: str, tokenizer: Any, lines: Iterable[str]) -> Measured:
    """One tokenizer on the lines of one text. DataError where there is no word."""
    given = [line for line in lines if line.strip()]
    words = sum(len(line.split()) for line in given)
    if not words:
        raise DataError(f"text {name!r} holds no word to measure a tokenizer on")
    begun = time.perf_counter()
    encoded = encode(given, tokenizer)
    seconds = time.perf_counter() - begun
    flat = [number for ids in encoded for number in ids]
    return Measured(
        kind=kind,
        text=name,
        vocabulary=len(tokenizer),
        tokens_per_word=len(flat) / words,
        tokens_per_byte=len(flat) / sum(len(line.encode()) for line in given),
        unknown=flat.count(tokenizer.unk_token_id) / max(1, len(flat)),
        coverage=len(set(flat)) / len(tokenizer),
        lost=sum(tokenizer.decode(ids) != line for ids, line in zip(encoded, given, strict=True)) / len(given),
        characters_per_second=sum(map(len, given)) / max(seconds, 1e-9),
    )
