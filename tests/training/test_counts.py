"""Kneser-Ney over ids against the formula with dictionaries, and what must hold of any probability."""

from __future__ import annotations

from collections import Counter, defaultdict

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from accordeur.errors import DataError
from accordeur.training.counts import Counted, count, discounts

STREAMS = st.lists(st.integers(0, 4), min_size=2, max_size=40)


def by_dictionaries(train: list[int], test: list[int], vocabulary: int, order: int) -> list[float]:
    """The same formula, token by token."""
    order = min(order, len(train))  # a text has no n-gram longer than itself
    grams = [Counter(tuple(train[p : p + n]) for p in range(len(train) - n + 1)) for n in range(1, order + 1)]
    for n in range(order - 1):
        seen: defaultdict[tuple[int, ...], int] = defaultdict(int)
        for gram in grams[n + 1]:
            seen[gram[1:]] += 1
        grams[n] = Counter({gram: seen[gram] for gram in grams[n]})
    values = []
    for place, token in enumerate(test):
        value = 1 / vocabulary
        for n in range(min(order, place + 1)):
            context = tuple(test[place - n : place])
            followers = {gram[-1]: found for gram, found in grams[n].items() if gram[:-1] == context}
            total = sum(followers.values())
            if not total:
                continue
            kept = discounts(np.array(list(grams[n].values())))
            lost = sum(kept[min(found, 3)] for found in followers.values())
            own = followers.get(token, 0)
            value = max(own - kept[min(own, 3)], 0) / total + lost / total * value
        values.append(float(np.log(value)))
    return values


@settings(max_examples=80, deadline=None)
@given(STREAMS, STREAMS, st.integers(1, 4))
def test_scores_equal_the_formula_with_dictionaries(train: list[int], test: list[int], order: int) -> None:
    found = count(train, 6, order).log_probs(test)
    assert found.tolist() == pytest.approx(by_dictionaries(train, test, 6, order), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(STREAMS, STREAMS, st.integers(1, 4))
def test_probabilities_sum_to_one_after_any_context(train: list[int], before: list[int], order: int) -> None:
    model = count(train, 6, order)
    total = sum(np.exp(model.log_probs([*before, token])[-1]) for token in range(6))
    assert total == pytest.approx(1)


def bits(model: Counted, ids: np.ndarray) -> float:
    return float(-model.log_probs(ids).mean())


def test_a_longer_context_helps_where_the_text_repeats_itself() -> None:
    rng = np.random.default_rng(0)
    phrases = [rng.integers(0, 50, 6) for _ in range(20)]
    train, test = (np.concatenate([phrases[number] for number in rng.integers(0, 20, 300)]) for _ in range(2))
    losses = [bits(count(train, 50, order), test) for order in (1, 2, 3)]
    assert losses[0] > losses[1] > losses[2]


def test_order_five_over_a_large_vocabulary_does_not_overflow() -> None:
    ids = np.random.default_rng(1).integers(0, 200_000, 5000)
    assert np.isfinite(count(ids, 200_000, 5).log_probs(ids)).all()


def test_no_token_and_no_order_are_refused() -> None:
    with pytest.raises(DataError, match="no token"):
        count([], 5, 2)
    with pytest.raises(ValueError, match="order 0"):
        count([1], 5, 0)


@settings(max_examples=40, deadline=None)
@given(STREAMS, STREAMS)
def test_nothing_is_impossible(train: list[int], test: list[int]) -> None:
    assert np.isfinite(count(train, 6, 3).log_probs([5, *test])).all()
