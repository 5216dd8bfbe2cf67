"""Rows of one width: made one by one, measured and named without being made."""

from __future__ import annotations

import numpy as np
import pytest

from accordeur.example import Encoded
from accordeur.training import batches
from accordeur.training.even import Even
from accordeur.training.tokens import data_digest


class Counted(Even):
    """Ten rows that count how often one is made."""

    digest = "ten"

    def __init__(self) -> None:
        self.made = 0

    def __len__(self) -> int:
        return 10

    def row(self, place: int) -> Encoded:
        self.made += 1
        return Encoded(tokens=np.full(4, place, np.int32), target=np.full(4, place, np.int32), row=place)


def test_rows_are_reached_by_number_and_by_slice() -> None:
    rows = Counted()
    assert [row.row for row in rows] == list(range(10))
    assert [row.row for row in rows[2:9:3]] == [2, 5, 8]
    for place in (-1, 10):
        with pytest.raises(IndexError):
            rows[place]


def test_an_epoch_is_drawn_and_named_from_one_row() -> None:
    rows = Counted()
    plain = list(rows)
    rows.made = 0
    assert list(batches.steps(rows, 4, 8, 1, 0)) == list(batches.steps(plain, 4, 8, 1, 0))
    assert data_digest(rows) == "ten"
    assert batches.mean_tokens(rows) == batches.mean_tokens(plain) == 4
    assert rows.made == 2
