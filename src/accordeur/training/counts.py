"""Modified Kneser-Ney over token ids, counted and scored with numpy: tens of millions of tokens in a minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.errors import DataError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
ABSENT = -1
LEAST = 0.1  # of a discount: on tiny texts the formula gives 0, which would leave nothing to what was never seen


@dataclass(frozen=True, kw_only=True, eq=False)
class Level:
    """The n-grams of one order. An n-gram is the number of its first n - 1 tokens (its context) times V plus its last token."""

    keys_G: Ints  # sorted
    counts_G: Ints  # raw at the highest order, below it before how many different tokens the n-gram was seen
    totals_C: Ints  # per context, the sum of its counts
    rest_C: Floats  # per context, what the discounts leave to shorter ones
    discounts: Floats  # (4,): D₀ = 0, D₁, D₂, D₃₊


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted:
    """Interpolated modified Kneser-Ney (Chen & Goodman 1999) of some order over a vocabulary."""

    vocabulary: int
    levels: tuple[Level, ...]  # from order 1 up

    @property
    def order(self) -> int:
        """Tokens of the longest n-gram."""
        return len(self.levels)

    def log_probs(self, ids: Sequence[int] | npt.NDArray[Any]) -> Floats:
        """(T,) natural log-probability of every token after those before it; the first has no context."""
        tokens = np.asarray(ids, np.int64)
        value = np.full(len(tokens), 1 / self.vocabulary)
        context = np.zeros(len(tokens), np.int64)  # the empty one
        for level in self.levels:
            known = context != ABSENT
            safe = np.where(known, context, 0)
            total = np.where(known, level.totals_C[safe], 0)
            used = total > 0
            gram = find(level.keys_G, np.where(known, safe * self.vocabulary + tokens, ABSENT))
            count = np.where(gram != ABSENT, level.counts_G[gram], 0)
            kept = np.maximum(count - level.discounts[np.minimum(count, 3)], 0)
            longer = kept / np.maximum(total, 1) + level.rest_C[safe] * value
            value = np.where(used, longer, value)
            context = shifted(gram)
        return np.asarray(np.log(value))


def count(ids: Sequence[int] | npt.NDArray[Any], vocabulary: int, order: int, start: int | None = None) -> Counted:
    """Counts one stream of tokens, or texts that each stand behind a `start` token. DataError where there is none.

    A start token is asked of nobody: it is a context, never a follower, and no n-gram reaches beyond it. N-grams that begin with
    it have nothing before them, so that they count as often as they occur (as `<s>` in SRILM).
    """
    tokens = np.asarray(ids, np.int64)
    if not len(tokens):
        raise DataError("an n-gram model needs text: there is no token to count")
    if order < 1:
        raise ValueError(f"order {order}: expected at least 1")
    opening = np.zeros(len(tokens), np.bool_) if start is None else tokens == start
    context = np.zeros(len(tokens), np.int64)
    begins = opening[:0]  # per n-gram of the order below, whether it begins with the start token
    found: list[tuple[Ints, Ints, Ints]] = []  # keys, counts, contexts of each order
    numbers = [context]  # of the n-gram that ends at each place
    for length in range(1, order + 1):
        here = np.flatnonzero(context != ABSENT)
        if not len(here):
            break  # the text is shorter than the order
        keys, first, inverse, raw = np.unique(
            context[here] * vocabulary + tokens[here], return_index=True, return_inverse=True, return_counts=True
        )
        gram = np.full(len(tokens), ABSENT, np.int64)
        gram[here] = inverse
        if length > 1:  # the order below counts different tokens before, not occurrences
            below_keys, below_raw, below_sizes = found[-1]
            before = np.bincount(numbers[-1][here[first]], minlength=len(below_keys))
            found[-1] = (below_keys, np.where(begins, below_raw, before), below_sizes)
        begins = opening[here[first] - length + 1]
        if length == 1:
            raw[begins] = 0
        found.append((keys, raw, np.asarray([len(found[-1][0]) if found else 1])))
        numbers.append(gram)
        context = np.where(opening, ABSENT, shifted(gram))
    return Counted(
        vocabulary=vocabulary,
        levels=tuple(level(keys, counts, int(contexts[0]), vocabulary) for keys, counts, contexts in found),
    )


def level(keys: Ints, counts: Ints, contexts: int, vocabulary: int) -> Level:
    """Totals, discounts and what they leave, from the counts of one order."""
    owner = keys // vocabulary
    kept = discounts(counts)
    totals = np.bincount(owner, weights=counts, minlength=contexts).astype(np.int64)
    lost = np.bincount(owner, weights=kept[np.minimum(counts, 3)], minlength=contexts)
    return Level(keys_G=keys, counts_G=counts, totals_C=totals, rest_C=lost / np.maximum(totals, 1), discounts=kept)


def discounts(counts: Ints) -> Floats:
    """0, D₁, D₂, D₃₊ from the counts of counts: Y = n₁ / (n₁ + 2n₂), Dᵢ = i - (i + 1)·Y·nᵢ₊₁ / nᵢ, kept within 0.1 and i."""
    seen = np.bincount(counts[counts <= 4], minlength=5).astype(np.float64)
    if not seen[1]:
        return np.asarray([0.0, 0.5, 0.5, 0.5])  # nothing occurs once: the formula has no answer
    share = seen[1] / (seen[1] + 2 * seen[2])
    values = [i - (i + 1) * share * seen[i + 1] / seen[i] if seen[i] else 0.5 for i in (1, 2, 3)]
    return np.asarray([0.0, *(min(float(i), max(LEAST, value)) for i, value in enumerate(values, start=1))])


def shifted(grams: Ints) -> Ints:
    """The context of each place: the n-gram that ends just before it."""
    return np.concatenate([np.full(1, ABSENT, np.int64), grams[:-1]])


def find(keys: Ints, wanted: Ints) -> Ints:
    """The places of some keys in the sorted ones, ABSENT where they are not."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, ABSENT)
