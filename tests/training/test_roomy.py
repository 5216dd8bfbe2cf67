"""The cache that grows in place gives what the library's growing by concatenation gives."""

from __future__ import annotations

import pytest
import torch
from transformers import DynamicCache

from accordeur.training.roomy import ROOM, RoomyLayer, roomy_cache


def states(tokens: int, rows: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(rows, 3, tokens, 4), torch.randn(rows, 3, tokens, 4)


@pytest.mark.parametrize("begin", [0, 5, 3 * ROOM])
def test_it_holds_what_the_library_holds(begin: int) -> None:
    first = [states(begin), states(begin)] if begin else []
    ours, theirs = roomy_cache(first), DynamicCache(first or None)
    for tokens in (7, *[1] * (2 * ROOM), 30, 1):
        for layer in range(2):
            new = states(tokens)
            for found, expected in zip(ours.update(*new, layer), theirs.update(*new, layer), strict=True):
                assert torch.equal(found, expected)
    assert ours.get_seq_length() == theirs.get_seq_length() == begin + 38 + 2 * ROOM


def test_a_token_is_written_in_place() -> None:
    layer = RoomyLayer()
    layer.update(*states(1))
    before = layer.keys.data_ptr()
    for _ in range(ROOM):
        layer.update(*states(1))
    assert layer.keys.data_ptr() == before
    layer.update(*states(1))
    assert layer.keys.data_ptr() != before and layer.get_seq_length() == ROOM + 2


def test_rows_that_were_chosen_or_cut_go_on_from_there() -> None:
    ours, theirs = roomy_cache([states(4, rows=1)]), DynamicCache([])
    theirs = DynamicCache([(ours.layers[0].keys.clone(), ours.layers[0].values.clone())])
    for cache in (ours, theirs):
        cache.layers[0].batch_select_indices(torch.tensor([0, 0]))
        cache.layers[0].crop(-1)
    new = states(2)
    for found, expected in zip(ours.update(*new, 0), theirs.update(*new, 0), strict=True):
        assert torch.equal(found, expected)
