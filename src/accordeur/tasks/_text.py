"""Metrics of written answers: likelihood, token F1, ROUGE-L, chrF, BLEU, exact match, in any language that has words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from accordeur.errors import NotApplicable
from accordeur.run import Answered
from accordeur.tasks._kind import Metric, Totals, column, ratio

WORD = re.compile(r"\w+")
CHRF_ORDER = 6
BLEU_ORDER = 4
CHRF_BETA = 2.0  # recall counts twice as much as precision (Popović 2015)


def words(text: str) -> list[str]:
    """Case-folded words, accents kept."""
    return WORD.findall(unicodedata.normalize("NFC", text).casefold())


class AccentTokenizer:
    """The tokenizer handed to rouge-score, whose own drops every accented letter."""

    def tokenize(self, text: str) -> list[str]:
        """Words as `words` gives them."""
        return words(text)


def nll_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Summed negative log-likelihood of the expected answer, and its tokens."""
    if any(row.nll is None for row in answered):
        raise NotApplicable("this model gives no likelihoods")
    return np.asarray([[row.nll, row.units] for row in answered], np.float64)


def token_f1(expected: str, output: str) -> float:
    """F1 of the bags of words (Rajpurkar et al. 2016); two empty answers agree."""
    wanted, got = Counter(words(expected)), Counter(words(output))
    if not wanted or not got:
        return float(wanted == got)
    common = (wanted & got).total()
    return 2 * common / (wanted.total() + got.total())


@cache
def rouge() -> Any:
    """The scorer of ROUGE-L (Lin 2004), without stemming."""
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], tokenizer=AccentTokenizer())


def rouge_l(expected: str, output: str) -> float:
    """F of the longest common subsequence of words."""
    return float(rouge().score(expected, output)["rougeL"].fmeasure)


def exact(expected: str, output: str) -> float:
    """1 where both are the same words in the same order."""
    return float(words(expected) == words(output) and (bool(words(expected)) or expected.strip() == output.strip()))


def token_f1_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Token F1 of each row."""
    return column([token_f1(row.expected, row.output) for row in answered])


def rouge_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """ROUGE-L of each row."""
    return column([rouge_l(row.expected, row.output) for row in answered])


def exact_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Exact match of each row."""
    return column([exact(row.expected, row.output) for row in answered])


def character_ngrams(text: str, order: int) -> Counter[str]:
    """Character n-grams of a text without its white space, as chrF counts them."""
    squeezed = "".join(text.split())
    return Counter(squeezed[start : start + order] for start in range(len(squeezed) - order + 1))


def chrf_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Per order 1..6: n-grams of the answer, of the reference, in common, (rows, 18).

    As in sacrebleu, n-grams of an answer count for nothing where the reference is too short to have any of that order.
    """
    table = np.zeros((len(answered), CHRF_ORDER, 3))
    for row, answer in enumerate(answered):
        for order in range(1, CHRF_ORDER + 1):
            got, wanted = character_ngrams(answer.output, order), character_ngrams(answer.expected, order)
            table[row, order - 1] = got.total() if wanted else 0, wanted.total(), (got & wanted).total()
    return table.reshape(len(answered), -1)


def chrf(totals: Totals) -> Totals:
    """Corpus chrF (Popović 2015) in 0..1, equal to sacrebleu's: precision and recall averaged over the orders that occur."""
    parts = totals.reshape(*totals.shape[:-1], CHRF_ORDER, 3)
    got, wanted, common = parts[..., 0], parts[..., 1], parts[..., 2]
    both = (got > 0) & (wanted > 0)
    orders = np.maximum(both.sum(-1), 1)
    precision = np.where(both, common / np.maximum(got, 1), 0).sum(-1) / orders
    recall = np.where(both, common / np.maximum(wanted, 1), 0).sum(-1) / orders
    weighted = CHRF_BETA**2 * precision + recall
    return np.asarray((1 + CHRF_BETA**2) * precision * recall / np.where(weighted > 0, weighted, 1))


@cache
def bleu_counter() -> Any:
    """sacrebleu's BLEU with its standard tokenizer (13a) and smoothing."""
    from sacrebleu import metrics as sacrebleu

    return sacrebleu.BLEU()


def bleu_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Words of the answer and of the reference, then n-grams in common and n-grams of the answer per order 1..4, (rows, 10)."""
    table = np.zeros((len(answered), 2 + 2 * BLEU_ORDER))
    for row, answer in enumerate(answered):
        found = bleu_counter().corpus_score([answer.output], [[answer.expected]])
        table[row] = found.sys_len, found.ref_len, *found.counts, *found.totals
    return table


def bleu(totals: Totals) -> Totals:
    """Corpus BLEU (Papineni et al. 2002) in 0..1, equal to sacrebleu's, with its exponential smoothing of empty orders."""
    length, reference = totals[..., 0], totals[..., 1]
    common, possible = totals[..., 2 : 2 + BLEU_ORDER], totals[..., 2 + BLEU_ORDER :]
    missed = np.cumsum((common == 0) & (possible > 0), axis=-1)  # the k-th order without a hit counts as 2^-k hits
    hits = np.where(common > 0, common, 0.5**missed)
    logs = np.log(hits / np.where(possible > 0, possible, 1)).mean(-1)
    brevity = np.minimum(1.0, np.exp(1 - reference / np.where(length > 0, length, 1)))
    some = (length > 0) & (common > 0).any(-1) & (possible > 0).all(-1)
    return np.asarray(np.where(some, brevity * np.exp(logs), 0.0))


NLL = Metric(name="nll", statistics=nll_statistics, finish=ratio, higher_is_better=False, unit="nats", tolerance=0.02)
ROUGE_L = Metric(name="rouge_l", statistics=rouge_statistics, finish=ratio)
TOKEN_F1 = Metric(name="token_f1", statistics=token_f1_statistics, finish=ratio)
CHRF = Metric(name="chrf", statistics=chrf_statistics, finish=chrf)
BLEU = Metric(name="bleu", statistics=bleu_statistics, finish=bleu)
EXACT_MATCH = Metric(name="exact_match", statistics=exact_statistics, finish=ratio)
