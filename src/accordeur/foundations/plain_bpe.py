"""Byte-pair encoding in plain Python (Sennrich et al. 2016): count the pairs, merge the most frequent, repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Merge:
    """One step of the training: what was merged, how often it stood there, and what else was frequent."""

    pair: Pair
    count: int
    rivals: tuple[tuple[Pair, int], ...] = ()  # the next most frequent pairs

    @property
    def token(self) -> str:
        """What the pair becomes."""
        return self.pair[0] + self.pair[1]


@dataclass(frozen=True, kw_only=True)
class PlainBpe:
    """A trained BPE: its alphabet, and its merges in the order in which they were learned.

    >>> words = ("low " * 5 + "lower " * 2 + "newest " * 6 + "widest " * 3).split()
    >>> PlainBpe.train(words, merges=4).encode("lowest")
    ['low', 'est']
    """

    alphabet: tuple[str, ...]
    merges: tuple[Merge, ...]

    @staticmethod
    def train(words: Iterable[str], merges: int, *, rivals: int = 0) -> PlainBpe:
        """Learns at most so many merges from words (repeated as often as they occur). Ends where no pair is left.

        Ties go to the pair whose parts were known first, as in the `tokenizers` library.
        """
        counts = Counter(words)
        splits = {word: list(word) for word in counts if word}
        alphabet = tuple(sorted({letter for word in splits for letter in word}))
        numbers = {letter: number for number, letter in enumerate(alphabet)}
        learned: list[Merge] = []
        while len(learned) < merges:
            pairs = count_pairs(splits, counts)
            if not pairs:
                break
            ranked = sorted(pairs, key=lambda pair: (-pairs[pair], numbers[pair[0]], numbers[pair[1]]))
            best = ranked[0]
            others = tuple((pair, pairs[pair]) for pair in ranked[1 : 1 + rivals])
            learned.append(Merge(pair=best, count=pairs[best], rivals=others))
            numbers.setdefault(best[0] + best[1], len(numbers))
            splits = {word: merged(parts, best) for word, parts in splits.items()}
        return PlainBpe(alphabet=alphabet, merges=tuple(learned))

    @property
    def vocabulary(self) -> list[str]:
        """Alphabet, then what the merges made, each once."""
        return list(dict.fromkeys([*self.alphabet, *(merge.token for merge in self.merges)]))

    def encode(self, word: str) -> list[str]:
        """A word's tokens: the merges, earliest first, wherever they apply. Unknown letters stay letters."""
        return self.history(word)[-1]

    def history(self, word: str) -> list[list[str]]:
        """The word after every merge that changed it, letters first."""
        ranks = {merge.pair: rank for rank, merge in reversed(list(enumerate(self.merges)))}
        states = [list(word)]
        while True:
            known = [pair for pair in pairwise(states[-1]) if pair in ranks]
            if not known:
                return states
            states.append(merged(states[-1], min(known, key=ranks.__getitem__)))


def count_pairs(splits: Mapping[str, Sequence[str]], counts: Mapping[str, int]) -> Counter[Pair]:
    """How often two tokens stand side by side inside words."""
    pairs: Counter[Pair] = Counter()
    for word, parts in splits.items():
        for pair in pairwise(parts):
            pairs[pair] += counts[word]
    return pairs


def merged(parts: Sequence[str], pair: Pair) -> list[str]:
    """The tokens with every occurrence of the pair made one, from left to right."""
    result: list[str] = []
    place = 0
    while place < len(parts):
        if tuple(parts[place : place + 2]) == pair:
            result.append(pair[0] + pair[1])
            place += 2
        else:
            result.append(parts[place])
            place += 1
    return result
