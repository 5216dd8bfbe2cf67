"""N-gram language models of any order: add-k, interpolation, and modified Kneser-Ney."""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar, Literal

from accordeur.errors import DataError

Token = Hashable
Context = tuple[Token, ...]
Table = dict[Context, dict[Token, int]]  # context -> what followed, how often
START, END = "<s>", "</s>"
LEAST = 0.1  # of a discount: on tiny texts the formula gives 0, which would leave nothing to what was never seen
Smoothing = Literal["add-k", "interpolated", "kneser-ney"]


def count_table(sentences: Iterable[Sequence[Token]], order: int) -> Table:
    """How often every token (or the end) followed every context of order - 1 tokens; sentences are padded with starts."""
    table: Table = defaultdict(lambda: defaultdict(int))
    for sentence in sentences:
        padded = [START] * (order - 1) + [*sentence, END]
        for place in range(order - 1, len(padded)):
            table[tuple(padded[place - order + 1 : place])][padded[place]] += 1
    return table


class NGram(ABC):
    """A model of order n: the probability of a token after the n - 1 tokens before it; they sum to 1 over the vocabulary."""

    name: ClassVar[Smoothing]

    def __init__(self, sentences: Sequence[Sequence[Token]], order: int) -> None:
        if order < 1:
            raise ValueError(f"order {order}: expected at least 1")
        if not any(len(sentence) for sentence in sentences):
            raise DataError("an n-gram model needs text: there is no token to count")
        self.order = order
        self.vocabulary: dict[Token, None] = dict.fromkeys(token for sentence in sentences for token in sentence)
        self.vocabulary[END] = None
        self.size = len(self.vocabulary) + 1  # one more for all that is unknown together

    @abstractmethod
    def probability(self, token: Token, context: Context) -> float:
        """P(token | context); of the context the last order - 1 tokens count."""

    def cut(self, context: Sequence[Token]) -> Context:
        """The last order - 1 tokens, with starts before them where there are fewer."""
        wanted = self.order - 1
        return tuple(([START] * wanted + [*context])[len(context) :]) if wanted else ()

    def log_probs(self, sentence: Sequence[Token], end: bool = True) -> list[float]:
        """Natural logarithm of the probability of every token, and of the end where it counts."""
        history = [START] * (self.order - 1) + [*sentence, *([END] if end else [])]
        first = self.order - 1
        return [
            safe_log(self.probability(history[place], tuple(history[place - first : place])))
            for place in range(first, len(history))
        ]

    def perplexity(self, sentences: Iterable[Sequence[Token]], end: bool = True) -> float:
        """exp of the mean negative log-probability of a token."""
        values = [value for sentence in sentences for value in self.log_probs(sentence, end)]
        if not values:
            raise DataError("there is no token to score")
        return math.exp(-sum(values) / len(values))

    def generate(self, longest: int, seed: int = 0, prompt: Sequence[Token] = ()) -> list[Token]:
        """Tokens drawn by their probability until the end or the longest length."""
        drawer = random.Random(seed)
        known = list(self.vocabulary)
        written = list(prompt)
        while len(written) - len(prompt) < longest:
            context = self.cut(written)
            token = drawer.choices(known, [self.probability(candidate, context) for candidate in known])[0]
            if token == END:
                break
            written.append(token)
        return written[len(prompt) :]


class AddK(NGram):
    """(c(h, w) + k) / (c(h) + k·V). With k = 0 plain relative frequencies, 0 for what was never seen.

    >>> model = AddK([["je", "suis", "content"], ["je", "suis"]], order=2, k=0)
    >>> model.probability("suis", ("je",)), model.probability("content", ("suis",))
    (1.0, 0.5)
    """

    name = "add-k"

    def __init__(self, sentences: Sequence[Sequence[Token]], order: int, k: float = 1.0) -> None:
        NGram.__init__(self, sentences, order)
        self.k = k
        self.table = count_table(sentences, order)
        self.totals = {context: sum(followers.values()) for context, followers in self.table.items()}

    def probability(self, token: Token, context: Context) -> float:
        """See the class."""
        count = self.table[context].get(token, 0) if context in self.table else 0
        total = self.totals.get(context, 0) + self.k * self.size
        return (count + self.k) / total if total else 0.0


class Interpolated(NGram):
    """Σ λᵢ·P(w | last i - 1 tokens), from order 1 up, over the uniform distribution (Jelinek & Mercer 1980).

    An order whose context was never seen gives its weight to the orders below it.
    """

    name = "interpolated"

    def __init__(self, sentences: Sequence[Sequence[Token]], order: int, weight: float = 0.7) -> None:
        NGram.__init__(self, sentences, order)
        if not 0 < weight < 1:
            raise ValueError(f"weight {weight}: expected between 0 and 1")
        self.weight = weight  # of the longer context, against everything below
        self.models = [AddK(sentences, length, k=0.0) for length in range(1, order + 1)]

    def probability(self, token: Token, context: Context) -> float:
        """See the class."""
        value = 1 / self.size
        for length, model in enumerate(self.models):
            short = context[len(context) - length :]
            if short in model.totals:
                value = self.weight * model.probability(token, short) + (1 - self.weight) * value
        return value


class KneserNey(NGram):
    """Interpolated modified Kneser-Ney (Chen & Goodman 1999, section 3): three discounts per order, continuation counts below.

    P(w | h) = max(0, c(h w) - D(c)) / c(h) + γ(h)·P(w | h'), where c is the count at the highest order and, below it,
    the number of different tokens seen before; D₁, D₂, D₃₊ follow from the counts of counts; the unigrams are
    interpolated with the uniform distribution, which is all that an unknown token gets.
    """

    name = "kneser-ney"

    def __init__(self, sentences: Sequence[Sequence[Token]], order: int) -> None:
        NGram.__init__(self, sentences, order)
        self.tables: list[Table] = [{} for _ in range(order)]
        self.tables[-1] = count_table(sentences, order)
        for length in range(order - 1, 0, -1):
            self.tables[length - 1] = continuations(self.tables[length])
        self.discounts = [discounts(table) for table in self.tables]
        self.sums = [
            {context: backoff(followers, kept) for context, followers in table.items()}
            for table, kept in zip(self.tables, self.discounts, strict=True)
        ]

    def probability(self, token: Token, context: Context) -> float:
        """See the class."""
        value = 1 / self.size
        for length, table in enumerate(self.tables):
            short = context[len(context) - length :]
            found = self.sums[length].get(short)
            if found is None:
                break  # a longer context was not seen either
            total, rest = found
            count = table[short].get(token, 0)
            kept = count - self.discounts[length][min(count, 3)] if count else 0.0
            value = max(0.0, kept) / total + rest * value
        return value


def continuations(table: Table) -> Table:
    """From counts of order n those of n - 1: before how many different tokens each (context, token) was seen.

    What follows the start of a sentence keeps the starts as its only possible past, as the padding is always the same.
    """
    below: Table = defaultdict(lambda: defaultdict(int))
    for context, followers in table.items():
        for token in followers:
            below[context[1:]][token] += 1
    return below


def discounts(table: Table) -> tuple[float, float, float, float]:
    """0, D₁, D₂, D₃₊ from the counts of counts: Y = n₁ / (n₁ + 2n₂), Dᵢ = i - (i + 1)·Y·nᵢ₊₁ / nᵢ, kept within 0.1 and i."""
    seen = [0, 0, 0, 0, 0]
    for followers in table.values():
        for count in followers.values():
            if count <= 4:
                seen[count] += 1
    if not seen[1]:
        return (0.0, 0.5, 0.5, 0.5)  # nothing occurs once: the formula has no answer
    share = seen[1] / (seen[1] + 2 * seen[2])
    values = [i - (i + 1) * share * seen[i + 1] / seen[i] if seen[i] else 0.5 for i in (1, 2, 3)]
    return (0.0, *(min(float(i), max(LEAST, value)) for i, value in enumerate(values, start=1)))  # type: ignore[return-value]


def backoff(followers: dict[Token, int], kept: tuple[float, float, float, float]) -> tuple[int, float]:
    """c(h), and γ(h): the share of it that the discounts leave for shorter contexts."""
    total = sum(followers.values())
    return total, sum(kept[min(count, 3)] for count in followers.values()) / total


def safe_log(value: float) -> float:
    """The natural logarithm; minus infinity for 0."""
    return math.log(value) if value > 0 else -math.inf


MODELS: dict[Smoothing, type[NGram]] = {"add-k": AddK, "interpolated": Interpolated, "kneser-ney": KneserNey}
