"""What a model is asked while it is pretrained: the next token, masked tokens, whether B follows A, lost spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.example import IGNORED, Encoded

Ids = npt.NDArray[np.int32]
ASKED_SHARE = 0.15  # of the tokens under BERT's masking
LOST_SHARE, MEAN_SPAN = 0.15, 3.0  # under T5's corruption


@dataclass(frozen=True, kw_only=True)
class Masking:
    """BERT's masking (Devlin et al. 2019): of `share` of the tokens 80 % are masked, 10 % exchanged, 10 % kept."""

    mask_id: int
    vocabulary: int
    forbidden: frozenset[int]  # special tokens: never chosen, never put in
    share: float = ASKED_SHARE
    masked: float = 0.8
    random: float = 0.1
    word_starts: npt.NDArray[np.bool_] | None = None  # (vocabulary,): whether a token begins a word; None: tokens one by one

    @cached_property
    def ordinary(self) -> npt.NDArray[np.bool_]:
        """(vocabulary,): whether a token may be asked, and put in for another one."""
        ordinary = np.ones(self.vocabulary, dtype=np.bool_)
        ordinary[list(self.forbidden)] = False
        return ordinary

    @cached_property
    def allowed(self) -> Ids:
        """The tokens that may be put in."""
        return np.flatnonzero(self.ordinary).astype(np.int32)


def causal(ids: Sequence[int] | Ids, row: int = 0) -> Encoded:
    """The next token everywhere: T tokens of T + 1."""
    tokens = np.asarray(ids, dtype=np.int32)
    return Encoded(tokens=tokens[:-1], target=tokens[1:], row=row)


def mask(tokens: Ids, masking: Masking, rng: np.random.Generator) -> tuple[Ids, Ids]:
    """(tokens as shown, targets): round(share · candidates) are chosen, at least one, whole words where starts are known.

    Of the chosen, the masked and the exchanged share are exact as well (rounded by lot), so that counts can be tested.
    """
    chosen = choose(tokens, masking, rng)
    targets = np.full(len(tokens), IGNORED, dtype=np.int32)
    targets[chosen] = tokens[chosen]
    shown = tokens.copy()
    order = rng.permutation(chosen)
    masks = by_lot(len(order) * masking.masked, rng)
    others = min(len(order) - masks, by_lot(len(order) * masking.random, rng))
    shown[order[:masks]] = masking.mask_id
    shown[order[masks : masks + others]] = rng.choice(masking.allowed, others)
    return shown, targets


def choose(tokens: Ids, masking: Masking, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The places that are asked, in order."""
    candidates = np.flatnonzero(masking.ordinary[tokens])
    if not len(candidates):
        return candidates
    wanted = max(1, by_lot(masking.share * len(candidates), rng))
    if masking.word_starts is None:
        return np.sort(rng.choice(candidates, wanted, replace=False))
    groups = words(tokens, candidates, masking.word_starts)
    picked: list[int] = []
    for number in rng.permutation(len(groups)):
        if len(picked) + len(groups[number]) <= wanted or not picked:
            picked += groups[number].tolist()
        if len(picked) >= wanted:
            break
    return np.sort(np.asarray(picked, dtype=np.int64))


def words(tokens: Ids, candidates: npt.NDArray[np.int64], starts: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.int64]]:
    """The candidates by the word they belong to: one begins at a starting token, and after a special one."""
    begins = starts[tokens[candidates]].copy()
    begins[0] = True
    begins[1:] |= np.diff(candidates) > 1
    return np.split(candidates, np.flatnonzero(begins)[1:])


def by_lot(expected: float, rng: np.random.Generator) -> int:
    """A whole number whose mean is the expected one: 2.3 is 2 seven times out of ten, else 3."""
    return int(expected) + int(rng.random() < expected % 1)


def word_starts(tokenizer: Any) -> npt.NDArray[np.bool_]:
    """(vocabulary,): which tokens begin a word: no ## where there are any, else a leading space mark, Ġ or ▁.

    Where nothing is marked and entries are longer than a letter, they are whole words: each begins one.
    """
    names = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    if any(name.startswith("##") for name in names):
        return np.array([not name.startswith("##") for name in names])
    marked = any(name.startswith(("Ġ", "▁")) for name in names)
    if not marked and any(len(name) > 1 for name in set(names) - set(tokenizer.all_special_tokens)):
        return np.ones(len(names), dtype=np.bool_)
    return np.array([name.startswith(("Ġ", "▁", "Ċ")) or not name[:1].isalnum() for name in names])


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two segments for next-sentence prediction: label 0 where the second really comes next, 1 where it is from elsewhere."""

    tokens: Ids  # [CLS] first [SEP] second [SEP]
    segments: Ids
    label: int


def joined(first: Ids, second: Ids, label: int, length: int, marks: tuple[int, int]) -> Pair:
    """[CLS] first [SEP] second [SEP], the longer one cut at its end until both fit; segment ids 0 and 1."""
    room = length - 3
    a, b = first, second
    if len(a) + len(b) > room:
        half = room // 2
        keep = max(half, room - len(b)) if len(a) > half else len(a)
        a, b = a[:keep], b[: room - min(len(a), keep)]
    cls_id, sep_id = marks
    tokens = np.concatenate([[cls_id], a, [sep_id], b, [sep_id]]).astype(np.int32)
    segments = np.concatenate([np.zeros(len(a) + 2), np.ones(len(b) + 1)]).astype(np.int32)
    return Pair(tokens=tokens, segments=segments, label=label)


@dataclass(frozen=True, kw_only=True)
class Corruption:
    """T5's span corruption (Raffel et al. 2020, section 3.1.4): `share` of the tokens in spans of `mean_span` on average."""

    sentinels: tuple[int, ...]  # one more than there are spans, at least
    end_id: int
    share: float = LOST_SHARE
    mean_span: float = MEAN_SPAN


def lost(tokens: int, share: float = LOST_SHARE, mean_span: float = MEAN_SPAN) -> tuple[int, int]:
    """Of a text of so many tokens, how many are lost, and in how many spans."""
    noise = max(1, min(tokens - 1, round(tokens * share)))
    return noise, max(1, min(round(noise / mean_span), tokens - noise))


def corrupt(tokens: Ids, corruption: Corruption, rng: np.random.Generator, row: int = 0) -> Encoded:
    """Input: the text with every span replaced by a sentinel, then the end. Target: sentinel, span, ... sentinel, end."""
    noise, spans = lost(len(tokens), corruption.share, corruption.mean_span)
    taken, kept = cut_at_random(noise, spans, rng), cut_at_random(len(tokens) - noise, spans, rng)
    inputs: list[int] = []
    target: list[int] = []
    place = 0
    for number, (before, inside) in enumerate(zip(kept, taken, strict=True)):
        sentinel = corruption.sentinels[number]
        inputs += [*tokens[place : place + before].tolist(), sentinel]
        target += [sentinel, *tokens[place + before : place + before + inside].tolist()]
        place += before + inside
    target += [corruption.sentinels[spans], corruption.end_id]
    inputs.append(corruption.end_id)
    return Encoded(tokens=np.asarray(inputs, np.int32), target=np.asarray(target, np.int32), row=row)


def cut_at_random(total: int, count: int, rng: np.random.Generator) -> list[int]:
    """`count` whole numbers of at least 1 that add up to `total`, every way equally likely."""
    cuts = np.sort(rng.permutation(total - 1)[: count - 1]) + 1
    return [int(size) for size in np.diff([0, *cuts, total])]
