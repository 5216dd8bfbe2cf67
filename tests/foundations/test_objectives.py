"""Pretraining objectives: counts and shapes, and that nothing of the text is lost."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from accordeur.example import IGNORED
from accordeur.foundations.objectives import Corruption, Masking, causal, corrupt, joined, mask

CLS, SEP, MASK = 1, 2, 3
SPECIAL = frozenset({0, CLS, SEP, MASK})
VOCABULARY = 200


def masking(**other: object) -> Masking:
    return Masking(**{"mask_id": MASK, "vocabulary": VOCABULARY, "forbidden": SPECIAL, **other})  # type: ignore[arg-type]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def ids(count: int, seed: int = 0) -> np.ndarray:
    return rng(seed).integers(4, VOCABULARY, count).astype(np.int32)


def test_causal_asks_every_token_but_the_first() -> None:
    item = causal([5, 6, 7, 8])
    assert item.tokens.tolist() == [5, 6, 7]
    assert item.target.tolist() == [6, 7, 8]  # type: ignore[union-attr]


def test_of_a_thousand_tokens_150_are_asked_120_masked_15_exchanged_15_kept() -> None:
    tokens = np.concatenate([[CLS], ids(1000), [SEP]]).astype(np.int32)
    shown, targets = mask(tokens, masking(), rng())
    asked = targets != IGNORED
    assert asked.sum() == 150
    assert not asked[[0, -1]].any()
    assert (targets[asked] == tokens[asked]).all()
    assert (shown[~asked] == tokens[~asked]).all()
    masked = (shown == MASK).sum()
    exchanged = (asked & (shown != MASK) & (shown != tokens)).sum()
    assert masked == 120
    assert 13 <= exchanged <= 15  # an exchanged token may, rarely, be the same again
    assert not set(shown[asked & (shown != MASK)].tolist()) & SPECIAL


def test_shares_hold_on_average_on_short_rows() -> None:
    random = rng(1)
    pairs = [mask(ids(7, seed), masking(), random) for seed in range(2000)]
    asked = sum((targets != IGNORED).sum() for _, targets in pairs)
    masked = sum((shown == MASK).sum() for shown, _ in pairs)
    assert asked / 2000 == pytest.approx(7 * 0.15, abs=0.03)  # 1 or 2 of 7
    assert masked / asked == pytest.approx(0.8, abs=0.03)


def test_whole_words_are_asked_as_a_whole() -> None:
    starts = np.zeros(VOCABULARY, dtype=bool)
    starts[4:100] = True  # the others continue a word
    tokens = ids(400)
    tokens[0] = 4
    _, targets = mask(tokens, masking(word_starts=starts), rng())
    asked = targets != IGNORED
    word = np.cumsum(starts[tokens])
    for number in np.unique(word):
        assert len(set(asked[word == number].tolist())) == 1
    assert 50 <= asked.sum() <= 60


def test_a_row_of_special_tokens_alone_is_asked_nothing() -> None:
    shown, targets = mask(np.array([CLS, SEP], np.int32), masking(), rng())
    assert shown.tolist() == [CLS, SEP]
    assert (targets == IGNORED).all()


def test_a_pair_has_marks_and_segments_and_fits() -> None:
    pair = joined(ids(5), ids(4, 1), 1, 12, (CLS, SEP))
    assert pair.tokens[[0, 6, 11]].tolist() == [CLS, SEP, SEP]
    assert pair.segments.tolist() == [0] * 7 + [1] * 5
    for first, second in ((50, 50), (50, 2), (2, 50)):
        cut = joined(ids(first), ids(second, 1), 0, 20, (CLS, SEP))
        assert len(cut.tokens) == len(cut.segments) == 20
        assert min(np.bincount(cut.segments)) >= 3


@settings(max_examples=80, deadline=None)
@given(st.integers(2, 300), st.integers(0, 1000))
def test_input_and_target_of_span_corruption_together_are_the_text(length: int, seed: int) -> None:
    sentinels = tuple(range(1000, 1100))
    tokens = ids(length, seed)
    item = corrupt(tokens, Corruption(sentinels=sentinels, end_id=9999), rng(seed))
    spans: dict[int, list[int]] = {}
    target = item.target.tolist()  # type: ignore[union-attr]
    assert item.tokens[-1] == target[-1] == 9999
    current = -1
    for token in target[:-1]:
        if token >= 1000:
            current = token
            spans[current] = []
        else:
            spans[current].append(token)
    rebuilt = [part for token in item.tokens[:-1].tolist() for part in (spans[token] if token >= 1000 else [token])]
    assert rebuilt == tokens.tolist()
    assert spans[current] == []  # the last sentinel closes the last span


def test_fifteen_percent_are_lost_in_spans_of_three() -> None:
    item = corrupt(ids(400), Corruption(sentinels=tuple(range(1000, 1100)), end_id=9999), rng())
    target = item.target
    assert isinstance(target, np.ndarray)
    assert (target < 1000).sum() == 60
    assert ((target >= 1000) & (target < 9999)).sum() == 21  # 20 spans and the one that closes
    assert len(item.tokens) == 400 - 60 + 20 + 1
