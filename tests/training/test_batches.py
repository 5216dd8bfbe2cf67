from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from accordeur.example import IGNORED, Encoded
from accordeur.training.batches import PASS_COST, by_length, collate, steps, tight_micro_batches

from . import tiny


def rows_of(lengths: list[int]) -> list[Encoded]:
    return [Encoded(tokens=np.full(length, 3, dtype=np.int32), target=0, row=place) for place, length in enumerate(lengths)]


def padding_share(items: list[Encoded], parts: list[list[int]]) -> float:
    padded = sum(len(part) * max(len(items[row].tokens) for row in part) for part in parts)
    return 1 - sum(len(items[row].tokens) for part in parts for row in part) / padded


@given(st.lists(st.integers(1, 60), min_size=1, max_size=90), st.integers(1, 9), st.integers(1, 200), st.integers(0, 3))
def test_an_epoch_holds_every_row_once(lengths: list[int], batch_rows: int, micro_tokens: int, epoch: int) -> None:
    items = rows_of(lengths)
    drawn = list(steps(items, batch_rows, micro_tokens, seed=1, epoch=epoch))
    assert sorted(row for parts in drawn for part in parts for row in part) == list(range(len(items)))
    assert len(drawn) == -(-len(items) // batch_rows)
    for part in itertools.chain.from_iterable(drawn):
        assert len(part) == 1 or len(part) * max(lengths[row] for row in part) <= micro_tokens


def test_the_same_seed_gives_the_same_batches_and_another_epoch_others() -> None:
    items = tiny.label_rows(100)
    first, again, other = (list(steps(items, 8, 512, seed=3, epoch=epoch)) for epoch in (0, 0, 1))
    assert first == again
    assert first != other


def test_what_a_step_holds_does_not_depend_on_the_micro_batches() -> None:
    items = tiny.label_rows(100)
    flat = [
        [sorted(itertools.chain.from_iterable(parts)) for parts in steps(items, 16, budget, seed=3, epoch=0)]
        for budget in (16, 200, 10**6)
    ]
    assert flat[0] == flat[1] == flat[2]


def test_padding_is_below_five_percent_and_the_order_of_lengths_stays_random() -> None:
    lengths = np.clip(np.random.default_rng(0).lognormal(4.4, 0.6, 4000), 8, 512).astype(int)
    items = rows_of(lengths.tolist())
    drawn = list(steps(items, 8, 2048, seed=0, epoch=0))
    assert padding_share(items, [part for parts in drawn for part in parts]) < 0.05
    means = np.array([np.mean([lengths[row] for part in parts for row in part]) for parts in drawn])
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.1


def test_a_step_of_mixed_lengths_is_cut_where_it_saves_padding() -> None:
    items = rows_of([400, 390, 60, 58, 55, 50])
    ((first, second),) = steps(items, 6, 2048, seed=0, epoch=0)
    assert sorted(first) == [0, 1] and sorted(second) == [2, 3, 4, 5]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=7), st.integers(1, 300))
def test_no_other_cuts_cost_less(lengths: list[int], budget: int) -> None:
    widths = np.array(sorted(lengths, reverse=True))

    def cost(parts: list[list[int]]) -> int:
        return sum(len(part) * int(widths[part[0]]) + budget // PASS_COST for part in parts)

    found = cost(tight_micro_batches(range(len(widths)), widths, budget))
    for chosen in itertools.product([False, True], repeat=len(widths) - 1):
        edges = [0, *(place + 1 for place, cut in enumerate(chosen) if cut), len(widths)]
        parts = [list(range(begin, end)) for begin, end in itertools.pairwise(edges)]
        if all(len(part) == 1 or len(part) * widths[part[0]] <= budget for part in parts):
            assert found <= cost(parts)


def test_targets_are_stacked_by_their_form() -> None:
    ids = np.array([3, 4, 5], dtype=np.int32)
    labels = collate([Encoded(tokens=ids, target=2), Encoded(tokens=ids[:1], target=0)], pad=9)
    assert labels.targets is not None and labels.targets.tolist() == [2, 0]
    assert labels.tokens_BT.tolist() == [[3, 4, 5], [3, 9, 9]]
    assert labels.mask_BT is not None and labels.mask_BT.tolist() == [[True] * 3, [True, False, False]]
    assert labels.real_tokens == 4
    scores = collate([Encoded(tokens=ids, target=0.5)], pad=9)
    assert scores.targets is not None and scores.targets.dtype == torch.float32
    assert scores.mask_BT is None
    answers = collate([Encoded(tokens=ids, target=ids[:2]), Encoded(tokens=ids, target=ids[:1])], pad=9)
    assert answers.targets is not None and answers.targets.tolist() == [[3, 4], [3, IGNORED]]
    assert collate([Encoded(tokens=ids)], pad=9).targets is None


def test_segments_are_padded_and_default_to_zero() -> None:
    ids = np.array([3, 4, 5], dtype=np.int32)
    batch = collate([Encoded(tokens=ids, segments=np.array([0, 1, 1], dtype=np.int32)), Encoded(tokens=ids[:2])], pad=9)
    assert batch.segments_BT is not None and batch.segments_BT.tolist() == [[0, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize("budget", [1, 64, 4096])
def test_evaluation_batches_hold_every_row_once(budget: int) -> None:
    items = tiny.label_rows(50)
    assert sorted(itertools.chain.from_iterable(by_length(items, budget))) == list(range(50))
