"""N-gram models: the course's example, sums of one, discounts by hand, what is better than what."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from accordeur.errors import DataError
from accordeur.foundations.ngram import END, AddK, Interpolated, KneserNey, NGram, count_table, discounts
from tests.foundations.words import lines

COURSE = [["je", "suis", "content"], ["je", "suis"]]
WORDS = [line.split() for line in lines(300)]
UNSEEN = [line.split() for line in lines(60, seed=1)]


def models(sentences: list[list[str]], order: int) -> list[NGram]:
    return [AddK(sentences, order, k=0.5), Interpolated(sentences, order), KneserNey(sentences, order)]


def test_the_courses_example() -> None:
    model = AddK(COURSE, order=2, k=0)
    assert model.probability("suis", ("je",)) == 1
    assert model.probability("content", ("suis",)) == 0.5
    assert model.probability(END, ("suis",)) == 0.5


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=6), min_size=1, max_size=8),
    st.integers(1, 4),
    st.lists(st.sampled_from("abcdz"), max_size=5),
)
def test_probabilities_sum_to_one_after_any_context(sentences: list[list[str]], order: int, context: list[str]) -> None:
    for model in models(sentences, order):
        short = model.cut(context)
        total = sum(model.probability(token, short) for token in [*model.vocabulary, "unknown"])
        assert total == pytest.approx(1)


def test_add_k_by_hand() -> None:
    model = AddK(COURSE, order=2, k=1)  # je, suis, content, end and unknown: 5
    assert model.probability("suis", ("je",)) == pytest.approx(3 / 7)
    assert model.probability("je", ("je",)) == pytest.approx(1 / 7)
    assert model.probability("je", ("never",)) == pytest.approx(1 / 5)


def test_interpolation_by_hand() -> None:
    model = Interpolated(COURSE, order=2, weight=0.7)
    below = 0.7 * 1 / 7 + 0.3 / 5  # content is one of seven tokens, ends counted
    assert model.probability("content", ("suis",)) == pytest.approx(0.7 * 0.5 + 0.3 * below)
    assert model.probability("content", ("never",)) == pytest.approx(below)


def test_discounts_by_hand() -> None:
    # four tokens seen once, two twice, one three times, one four times
    table = {(): {"a": 1, "b": 1, "c": 1, "d": 1, "e": 2, "f": 2, "g": 3, "h": 4}}
    share = 4 / (4 + 2 * 2)
    assert discounts(table) == pytest.approx((0, 1 - 2 * share * 2 / 4, 2 - 3 * share * 1 / 2, 3 - 4 * share * 1 / 1))


def test_kneser_ney_prefers_what_follows_many_to_what_follows_one() -> None:
    """The classic case: "Francisco" is frequent, yet only after "San", so after an unseen word it is unlikely."""
    sentences = [["san", "francisco"]] * 8 + [[word, "house"] for word in ("a", "the", "my", "your", "one", "his")]
    assert AddK(sentences, order=1, k=0).probability("francisco", ()) > AddK(sentences, order=1, k=0).probability("house", ())
    model = KneserNey(sentences, order=2)
    assert model.probability("house", ("new",)) > model.probability("francisco", ("new",))


def test_kneser_ney_of_order_two_equals_the_formula_written_out() -> None:
    model = KneserNey(WORDS, order=2)
    table = count_table(WORDS, 2)
    kept, below = discounts(table), {}
    for followers in table.values():
        for token in followers:
            below[token] = below.get(token, 0) + 1
    low = discounts({(): below})
    context, token = ("The",), "river"
    followers = table[context]
    total, types = sum(followers.values()), sum(below.values())
    uniform = sum(low[min(count, 3)] for count in below.values()) / types / model.size
    unigram = (below[token] - low[min(below[token], 3)]) / types + uniform
    gamma = sum(kept[min(count, 3)] for count in followers.values()) / total
    count = followers.get(token, 0)
    expected = max(0.0, count - kept[min(count, 3)] if count else 0.0) / total + gamma * unigram
    assert model.probability(token, context) == pytest.approx(expected)


def test_smoothing_helps_on_unseen_text_and_kneser_ney_is_finite() -> None:
    values = {model.name: model.perplexity(UNSEEN) for model in models(WORDS, 3)}
    assert values["kneser-ney"] < values["add-k"]
    assert values["interpolated"] < values["add-k"]
    assert math.isfinite(values["kneser-ney"])
    assert AddK(WORDS, 3, k=0).perplexity(UNSEEN) == math.inf


def test_generation_is_the_same_for_the_same_seed_and_made_of_known_words() -> None:
    model = KneserNey(WORDS, order=3)
    written = model.generate(12, seed=3)
    assert written == model.generate(12, seed=3)
    assert set(written) <= set(model.vocabulary)
    assert len({tuple(model.generate(12, seed=seed)) for seed in range(6)}) > 1


def test_tokens_may_be_numbers() -> None:
    assert KneserNey([[1, 2, 3], [1, 2]], order=2).perplexity([[1, 2]]) < 5  # five tokens, all equally likely, have 5


@pytest.mark.parametrize("sentences", [[], [[]]])
def test_no_text_is_refused(sentences: list[list[str]]) -> None:
    with pytest.raises(DataError, match="no token"):
        AddK(sentences, order=2)
