"""Near duplicates: the shingles, the candidates and the exact similarity against plain Python."""

from __future__ import annotations

import random

import numpy as np
import pytest

from accordeur.audit.near import bucket_pairs, near_twins
from accordeur.audit.shingles import letters, room, shingles, tfidf, tfidf_blocks

WORDS = [
    *["the", "card", "has", "not", "come", "yet", "and", "i", "want", "to", "know", "where", "it", "is"],
    *["because", "my", "old", "one", "ends", "soon", "please", "tell", "me", "how", "long"],
]


def runs(text: str) -> set[str]:
    known = letters(text).ljust(4)
    return {known[place : place + 4] for place in range(len(known) - 3)}


def exact(one: str, other: str) -> float:
    return len(runs(one) & runs(other)) / len(runs(one) | runs(other))


def sentences(count: int, length: int = 12) -> list[str]:
    chance = random.Random(0)
    return [" ".join(chance.choices(WORDS, k=length)) for _ in range(count)]


def test_letters_ignore_case_marks_and_composition() -> None:
    assert letters("  Où  est-il ?!") == " où est il "
    assert letters("Caf\u0065\u0301") == letters("CAFÉ")


def test_shingles_never_cross_texts() -> None:
    texts = ["abcdef", "", "x", "ghij klm"]
    together = shingles(texts, 4, 100)
    for row, text in enumerate(texts):
        alone = shingles([text], 4, 100).hashes
        assert together.hashes[together.offsets[row] : together.offsets[row + 1]].tolist() == alone.tolist()
        assert len(alone) == max(1, len(letters(text)) - 3)


def test_pairs_are_those_of_plain_python() -> None:
    texts = sentences(150, 6)
    texts += [text.replace("card", "cart").replace("my", "my own") for text in texts[:60]]
    wanted = {(i, j): exact(texts[i], texts[j]) for i in range(len(texts)) for j in range(i)}
    wanted = {(j, i): likeness for (i, j), likeness in wanted.items() if likeness >= 0.7}
    found = {(one, other): likeness for one, other, likeness in near_twins(texts, 0.7).pairs}
    assert set(found) <= set(wanted)  # nothing false
    assert len(found) >= 0.97 * len(wanted)
    assert all(found[pair] == pytest.approx(wanted[pair]) for pair in found)


def test_bucket_pairs_are_all_pairs_and_stop_at_the_limit() -> None:
    keys = np.array([5, 7, 5, 5, 9], np.uint64)
    pairs, cut = bucket_pairs(keys, 100)
    assert sorted(pairs.tolist()) == [0 * 5 + 2, 0 * 5 + 3, 2 * 5 + 3]
    assert not cut
    assert bucket_pairs(np.zeros(100, np.uint64), 50)[1]


def test_few_texts_have_no_pairs() -> None:
    assert near_twins([], 0.7).pairs == near_twins(["alone"], 0.7).pairs == []


def test_room_is_shared() -> None:
    assert room(["x"] * 10, 1_000_000) == 100_000
    assert room(["x"] * 10_000_000, 1_000_000) == 400


def test_tfidf_is_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"text number {place} of {'many' * (place % 5)}" for place in range(23)]
    whole = tfidf(texts)
    monkeypatch.setattr("accordeur.audit.shingles.ROWS", 7)
    assert [block.shape[0] for block in tfidf_blocks(texts)] == [7, 7, 7, 2]
    assert np.array_equal(tfidf(texts).toarray(), whole.toarray())


def test_tfidf_rows_have_length_one() -> None:
    matrix = tfidf(["a text", "another text", ""])
    assert np.allclose(np.sqrt(matrix.multiply(matrix).sum(axis=1)), 1, atol=1e-5)
