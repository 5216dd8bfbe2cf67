"""WordPiece in plain Python (Schuster & Nakajima 2012): merge the pair that makes the text most likely, repeat."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from accordeur.foundations.plain_bpe import Pair, count_pairs

PREFIX = "##"  # before what continues a word
UNKNOWN = "[UNK]"


@dataclass(frozen=True, kw_only=True)
class Gain:
    """One step of the training: what was merged, how often it stood there, what the text gained, in nats."""

    pair: Pair
    count: int
    gain: float
    rivals: tuple[tuple[Pair, float], ...] = ()  # the pairs that would have gained most after it

    @property
    def token(self) -> str:
        """What the pair becomes."""
        return joined(self.pair)


@dataclass(frozen=True, kw_only=True)
class PlainWordPiece:
    """A trained WordPiece: letters (## inside words), then what was merged."""

    alphabet: tuple[str, ...]
    gains: tuple[Gain, ...]

    @staticmethod
    def train(words: Iterable[str], merges: int, *, rivals: int = 0) -> PlainWordPiece:
        """Learns at most so many merges; ends where none makes the text likelier. Ties go to the first in the alphabet."""
        counts = Counter(words)
        splits = {word: letters(word) for word in counts if word}
        alphabet = tuple(sorted({part for parts in splits.values() for part in parts}))
        learned: list[Gain] = []
        while len(learned) < merges:
            units = Counter[str]()
            for word, parts in splits.items():
                for part in parts:
                    units[part] += counts[word]
            pairs = count_pairs(splits, counts)
            gains = {pair: likelihood_gain(pair, pairs[pair], units) for pair in pairs}
            ranked = sorted(gains, key=lambda pair: (-gains[pair], pair))
            if not ranked or gains[ranked[0]] <= 0:
                break
            best = ranked[0]
            others = tuple((pair, gains[pair]) for pair in ranked[1 : 1 + rivals])
            learned.append(Gain(pair=best, count=pairs[best], gain=gains[best], rivals=others))
            splits = {word: merge(parts, best) for word, parts in splits.items()}
        return PlainWordPiece(alphabet=alphabet, gains=tuple(learned))

    @property
    def vocabulary(self) -> list[str]:
        """Alphabet, then what the merges made, each once."""
        return list(dict.fromkeys([*self.alphabet, *(gain.token for gain in self.gains)]))

    def encode(self, word: str) -> list[str]:
        """A word's tokens: the longest known piece from the left, again and again; unknown as a whole where one is missing."""
        return greedy(word, set(self.vocabulary))


def likelihood_gain(pair: Pair, count: int, units: Counter[str]) -> float:
    """What the log-likelihood of the text gains by the merge, every token drawn by its share: Σ c·log(c / N), after - before.

    The merge takes `count` tokens of either part away and adds as many of the new one, so N falls by `count`.
    A letter beside itself (a = b) loses twice as many; where three stand in a row this counts the overlap and is a bound.
    """
    total = sum(units.values())
    left, right = pair
    if left == right:
        count = min(count, units[left] // 2)
        change = entropy_term(units[left] - 2 * count) - entropy_term(units[left])
    else:
        change = sum(entropy_term(units[part] - count) - entropy_term(units[part]) for part in pair)
    return change + entropy_term(count) - entropy_term(total - count) + entropy_term(total)


def entropy_term(count: int) -> float:
    """c·log c, 0 for 0."""
    return count * math.log(count) if count > 0 else 0.0


def letters(word: str) -> list[str]:
    """The letters of a word, all but the first with ##."""
    return [word[0], *(PREFIX + letter for letter in word[1:])]


def joined(pair: Pair) -> str:
    """Two pieces as one."""
    return pair[0] + pair[1].removeprefix(PREFIX)


def merge(parts: list[str], pair: Pair) -> list[str]:
    """The pieces with every occurrence of the pair made one, from left to right."""
    result: list[str] = []
    place = 0
    while place < len(parts):
        hit = tuple(parts[place : place + 2]) == pair
        result.append(joined(pair) if hit else parts[place])
        place += 2 if hit else 1
    return result


def greedy(word: str, vocabulary: set[str]) -> list[str]:
    """Longest match first (Song et al. 2021, algorithm 1 states the rule)."""
    pieces: list[str] = []
    start = 0
    while start < len(word):
        prefix = PREFIX if start else ""
        ends = (end for end in range(len(word), start, -1) if prefix + word[start:end] in vocabulary)
        end = next(ends, None)
        if end is None:
            return [UNKNOWN]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces
