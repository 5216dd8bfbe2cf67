"""How BPE and WordPiece come to their vocabularies, merge by merge, side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest

from accordeur.errors import DataError
from accordeur.foundations.plain_bpe import PlainBpe
from accordeur.foundations.plain_wordpiece import PlainWordPiece

WORD = re.compile(r"\w+|[^\w\s]+")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One merge of either: what BPE counts, what WordPiece gains. Empty where one of them has ended."""

    number: int
    bpe: str = ""  # "e + s"
    count: int = 0
    wordpiece: str = ""
    gain: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The merges learned from a text, and how the text's words are cut in the end."""

    steps: tuple[Step, ...]
    bpe: PlainBpe
    wordpiece: PlainWordPiece
    words: tuple[str, ...]  # of the text, each once

    def rows(self) -> list[tuple[str, str, str]]:
        """Every word as BPE and WordPiece cut it."""
        return [(word, " ".join(self.bpe.encode(word)), " ".join(self.wordpiece.encode(word))) for word in self.words]


def explain(text: str, merges: int = 10) -> Explanation:
    """Trains both on the words of a text. DataError where it has none."""
    words = WORD.findall(text)
    if not words:
        raise DataError("the text holds no word", hint='for example: accordeur tokenizer explain "low low lower newest widest"')
    bpe = PlainBpe.train(words, merges, rivals=3)
    wordpiece = PlainWordPiece.train(words, merges, rivals=3)
    steps = tuple(
        Step(
            number=number,
            bpe=" + ".join(left.pair) if left else "",
            count=left.count if left else 0,
            wordpiece=" + ".join(right.pair) if right else "",
            gain=right.gain if right else 0.0,
        )
        for number, (left, right) in enumerate(zip_longest(bpe.merges, wordpiece.gains), start=1)
    )
    return Explanation(steps=steps, bpe=bpe, wordpiece=wordpiece, words=tuple(dict.fromkeys(words)))
