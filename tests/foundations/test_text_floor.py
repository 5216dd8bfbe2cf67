"""The floor of raw text on rows of their own: nothing is given to the end of a row, and their order doesn't matter."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from accordeur.base import find_base
from accordeur.context import Context
from accordeur.example import Example
from accordeur.foundations.default import EMBEDDED
from accordeur.methods.ngram import Ngram
from accordeur.models.counted import codec_of, start_id
from accordeur.task import Task
from accordeur.training.counts import Counted, count, discounts

START, VOCABULARY = 5, 6
ROWS = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=8), min_size=1, max_size=8)


def counted(rows: list[list[int]], order: int) -> Counted:
    return count([number for row in rows for number in (START, *row)], VOCABULARY, order, start=START)


def by_dictionaries(rows: list[list[int]], test: list[int], order: int) -> list[float]:
    """The formula, row by row; what begins with the start token counts as often as it occurs."""
    texts = [(START, *row) for row in rows]
    raw = [
        Counter(text[p : p + n] for text in texts for p in range(len(text) - n + 1) if text[p : p + n] != (START,))
        for n in range(1, order + 1)
    ]
    raw = [grams for grams in raw if grams]
    grams = raw[-1:]
    for n in range(len(raw) - 2, -1, -1):
        before: defaultdict[tuple[int, ...], int] = defaultdict(int)
        for gram in raw[n + 1]:
            before[gram[1:]] += 1
        grams.insert(0, Counter({gram: raw[n][gram] if gram[0] == START else before[gram] for gram in raw[n]}))
    given = (START, *test)
    values: list[float] = []
    for place in range(1, len(given)):
        value = 1 / VOCABULARY
        for n in range(min(len(grams), place + 1)):
            context = given[place - n : place]
            followers = {gram[-1]: found for gram, found in grams[n].items() if gram[:-1] == context}
            if total := sum(followers.values()):
                kept = discounts(np.array(list(grams[n].values())))
                lost = sum(kept[min(found, 3)] for found in followers.values())
                own = followers.get(given[place], 0)
                value = max(own - kept[min(own, 3)], 0) / total + lost / total * value
        values.append(float(np.log(value)))
    return values


@settings(max_examples=80, deadline=None)
@given(ROWS, st.lists(st.integers(0, 4), min_size=1, max_size=8), st.integers(1, 4))
def test_rows_are_scored_by_the_formula_with_dictionaries(rows: list[list[int]], test: list[int], order: int) -> None:
    found = counted(rows, order).log_probs([START, *test])[1:]
    assert found.tolist() == pytest.approx(by_dictionaries(rows, test, order), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(ROWS, st.integers(1, 4))
def test_the_order_of_the_rows_does_not_matter(rows: list[list[int]], order: int) -> None:
    forwards, backwards = (counted(given, order).log_probs([START, *rows[0]])[1:] for given in (rows, rows[::-1]))
    assert forwards.tolist() == pytest.approx(backwards.tolist(), abs=1e-12)


def test_the_end_of_a_row_is_expected_of_nobody() -> None:
    rows = [[0, 1], [2, 1], [3, 1]] * 5
    stream = count([number for row in rows for number in (START, *row)], VOCABULARY, 3)
    as_stream, as_rows = (
        [float(np.exp(model.log_probs([START, 0, 1, token])[-1])) for token in range(VOCABULARY)]
        for model in (stream, counted(rows, 3))
    )
    assert sum(as_stream) == pytest.approx(1)
    assert sum(as_rows) == pytest.approx(1)
    assert as_stream[START] > 0.5  # nothing else ever comes after 1
    assert as_rows[START] <= 1 / VOCABULARY + 1e-9  # what is left to what was never seen


def test_one_stream_is_counted_as_ever() -> None:
    ids = np.random.default_rng(0).integers(0, 5, 300)
    plain, none_there = count(ids, VOCABULARY, 4), count(ids, VOCABULARY, 4, start=START)
    assert (plain.log_probs(ids) == none_there.log_probs(ids)).all()


def test_the_method_counts_rows_and_not_their_ends(tmp_path: Path) -> None:
    rows = tuple(Example(id=str(place), given={}, expected=text) for place, text in enumerate(["the river", "the house"] * 3))
    task = Task(name="t", kind="text", train=rows, validation=(), test=rows, metrics=("bits",), max_length=64)
    base = find_base(str(EMBEDDED))
    model = Ngram(order=2).fit(task, base, Context(seed=0, folder=tmp_path, cache=tmp_path))
    start = start_id(codec_of(base))
    first = model.counted.levels[0]  # type: ignore[attr-defined]
    assert first.counts_G[np.searchsorted(first.keys_G, start)] == 0
