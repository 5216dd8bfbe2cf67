from __future__ import annotations

import numpy as np
import pytest

from accordeur.example import Encoded
from accordeur.training import batches
from accordeur.training.tokens import Tokens, data_digest, kept_tokens, write_tokens
from tests.training.tiny import causal_rows, label_rows


def same(one: Encoded, other: Encoded) -> bool:
    pairs = [(one.tokens, other.tokens), (one.target, other.target), (one.segments, other.segments)]
    return one.row == other.row and all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in pairs)


def graded_rows() -> list[Encoded]:
    return [Encoded(tokens=row.tokens, target=0.25 * place, row=place) for place, row in enumerate(label_rows(5))]


def paired_rows() -> list[Encoded]:
    """Every second row has segments."""
    return [
        Encoded(tokens=row.tokens, target=row.target, row=7 - place, segments=row.tokens % 2 if place % 2 else None)
        for place, row in enumerate(label_rows(8))
    ]


def plain_rows() -> list[Encoded]:
    return [Encoded(tokens=row.tokens, row=place) for place, row in enumerate(label_rows(4))]


@pytest.mark.parametrize("make", [lambda: causal_rows(20), lambda: label_rows(20), graded_rows, paired_rows, plain_rows, list])
def test_what_is_written_comes_back(tmp_path, make):
    rows = make()
    write_tokens(tmp_path / "kept", iter(rows))
    found = Tokens(tmp_path / "kept")
    assert len(found) == len(rows)
    assert all(same(one, other) for one, other in zip(found, rows, strict=True))
    assert data_digest(found) == data_digest(rows)
    assert [type(item.target) for item in found] == [type(item.target) for item in rows]
    assert all(same(one, other) for one, other in zip(found[1:3], rows[1:3], strict=True))
    if rows:
        assert same(found[-1], rows[-1])
    with pytest.raises(IndexError):
        found[len(rows)]


def test_batches_are_those_of_the_rows_in_memory(tmp_path):
    rows = causal_rows(40)
    write_tokens(tmp_path / "kept", rows)
    assert list(batches.steps(Tokens(tmp_path / "kept"), 8, 64, 3, 1)) == list(batches.steps(rows, 8, 64, 3, 1))


def test_rows_are_encoded_once(tmp_path):
    made = []

    def encode():
        made.append(1)
        return label_rows(6)

    first = kept_tokens(tmp_path / "kept", encode)
    again = kept_tokens(tmp_path / "kept", encode)
    assert len(made) == 1
    assert first.digest == again.digest


@pytest.mark.parametrize("name", ["tokens", "values", "about.json"])
def test_damaged_rows_are_made_again(tmp_path, name):
    expected = kept_tokens(tmp_path / "kept", lambda: label_rows(6)).digest
    file = tmp_path / "kept" / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    found = kept_tokens(tmp_path / "kept", lambda: label_rows(6))
    assert found.digest == expected
    assert all(same(one, other) for one, other in zip(found, label_rows(6), strict=True))


def test_rows_that_break_off_leave_nothing(tmp_path):
    def broken():
        yield from label_rows(3)
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError):
        kept_tokens(tmp_path / "kept", broken)
    assert not (tmp_path / "kept").exists()
    assert len(kept_tokens(tmp_path / "kept", lambda: label_rows(3))) == 3


def test_targets_of_two_sorts_are_refused(tmp_path):
    with pytest.raises(ValueError, match="asks for label"):
        write_tokens(tmp_path / "kept", [*causal_rows(2), *label_rows(1)])
