"""The explanation of merges."""

from __future__ import annotations

import pytest

from accordeur.errors import DataError
from accordeur.foundations.explain import explain


def test_steps_of_both_stand_side_by_side() -> None:
    explanation = explain("low low lower newest newest widest", merges=3)
    assert [step.number for step in explanation.steps] == [1, 2, 3]
    assert all(step.bpe and step.count > 0 and step.wordpiece and step.gain > 0 for step in explanation.steps)


def test_rows_show_every_word_once_and_whole() -> None:
    rows = explain("low low lower", merges=2).rows()
    assert [word for word, _, _ in rows] == ["low", "lower"]
    assert all(bpe.replace(" ", "") == word for word, bpe, _ in rows)


def test_a_text_without_words_is_refused() -> None:
    with pytest.raises(DataError, match="no word"):
        explain("  \n")
