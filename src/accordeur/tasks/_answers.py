"""Metrics of extracted answers: exact match and token F1 as SQuAD counts them, in English and in French.

English is put in normal form as the script of SQuAD does (Rajpurkar et al. 2016): lower case, ASCII punctuation dropped,
`a`, `an`, `the` dropped, white space made even. French likewise, with its own articles and elisions
(`le la les l' un une des du de d' au aux`) and every punctuation sign of Unicode. Which of the two a row takes is told by its
frequent words, those of the question and the context where the record has them; where they tell nothing, a row is scored
in both ways and the better one counts.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from accordeur.run import Answered
from accordeur.tasks._kind import Metric, Totals, column, ratio

Tongue = Literal["en", "fr"]
ENGLISH_ARTICLES = re.compile(r"\b(a|an|the)\b")
FRENCH_ARTICLES = re.compile(r"\b(le|la|les|un|une|des|du|de|au|aux)\b")
ELISION = re.compile(r"\b[ld]['’ʼ]")
ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
WORD = re.compile(r"\w+")
ENGLISH_WORDS = "the of and to in is was for on that by with as at from it which what who how when where did"
FRENCH_WORDS = "le la les des du et est dans une qui que quel quelle pour par sur au aux ce il elle avec où été d l"
FREQUENT: Mapping[Tongue, frozenset[str]] = {
    "en": frozenset(ENGLISH_WORDS.split(" ")),
    "fr": frozenset(FRENCH_WORDS.split(" ")),
}


def english(text: str) -> str:
    """The normal form of SQuAD's script."""
    return " ".join(ENGLISH_ARTICLES.sub(" ", text.lower().translate(ASCII_PUNCTUATION)).split())


def french(text: str) -> str:
    """The same for French: elided articles first, then punctuation and articles; accents stay."""
    lowered = ELISION.sub(" ", unicodedata.normalize("NFC", text).lower())
    kept = "".join(sign for sign in lowered if not unicodedata.category(sign).startswith("P"))
    return " ".join(FRENCH_ARTICLES.sub(" ", kept).split())


NORMAL: Mapping[Tongue, Callable[[str], str]] = {"en": english, "fr": french}


def tongues(text: str) -> tuple[Tongue, ...]:
    """The language whose frequent words a text has more of; both where they tie."""
    words = Counter(WORD.findall(text.lower()))
    counts: dict[Tongue, int] = {tongue: sum(words[word] for word in known) for tongue, known in FREQUENT.items()}
    most = max(counts.values())
    return tuple(tongue for tongue, count in counts.items() if count == most)


def overlap_f1(expected: str, output: str) -> float:
    """F1 of the bags of words of two texts in normal form; two empty ones agree."""
    wanted, got = Counter(expected.split()), Counter(output.split())
    if not wanted or not got:
        return float(wanted == got)
    common = (wanted & got).total()
    return 2 * common / (wanted.total() + got.total())


def same(expected: str, output: str) -> float:
    """1 where both are equal."""
    return float(expected == output)


def answer_text(value: Any) -> str:
    """An answer as text, whether it came as text or with its place."""
    if isinstance(value, Mapping):
        return str(value.get("text", ""))
    return value if isinstance(value, str) else ""


def best(answer: Answered, compare: Callable[[str, str], float]) -> float:
    """The best comparison over all right answers; of an unanswerable question only an empty answer is right."""
    right = [answer_text(each) for each in answer.expected] or [""]
    output = answer_text(answer.output)
    known = tongues(answer.given or " ".join([*right, output]))
    return max(compare(NORMAL[tongue](each), NORMAL[tongue](output)) for tongue in known for each in right)


def f1_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Token F1 of each row."""
    return column([best(answer, overlap_f1) for answer in answered])


def exact_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Exact match of each row."""
    return column([best(answer, same) for answer in answered])


def answered_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """1 where a row is answered exactly if it has an answer."""
    given = np.asarray([bool(answer_text(answer.output).strip()) for answer in answered])
    return column(given == np.asarray([bool(answer.expected) for answer in answered]))


ANSWER_METRICS = (
    Metric(name="squad_f1", statistics=f1_statistics, finish=ratio),
    Metric(name="exact_match", statistics=exact_statistics, finish=ratio),
    Metric(name="answered_right", statistics=answered_statistics, finish=ratio, tolerance=0.01),
)
