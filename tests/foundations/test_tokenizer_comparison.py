"""Measures of tokenizers, on texts where they are known."""

from __future__ import annotations

import pytest

from accordeur.errors import DataError
from accordeur.foundations.tokenizer_comparison import KINDS, compare_tokenizers, measure
from accordeur.foundations.tokenizers import TokenizerRequest, train_tokenizer
from tests.foundations.words import lines


def test_characters_are_one_token_each_and_unseen_letters_unknown() -> None:
    tokenizer = train_tokenizer(["abc"], TokenizerRequest(kind="char", size=20, exact=False))
    row = measure("char", "unseen", tokenizer, ["abz ab"])
    assert row.tokens_per_word == 3  # 6 characters, 2 words
    assert row.tokens_per_byte == 1
    assert row.unknown == pytest.approx(2 / 6)  # z and the space
    assert row.lost == 1


def test_all_kinds_are_measured_on_all_texts_and_bytes_lose_nothing() -> None:
    rows = compare_tokenizers(lines(120), {"unseen": ["Žluťoučký kůň 123", "the river"]}, size=290)
    assert [(row.kind, row.text) for row in rows] == [(kind, text) for kind in KINDS for text in ("train", "unseen")]
    by = {(row.kind, row.text): row for row in rows}
    assert by["bpe", "unseen"].lost == by["bpe", "unseen"].unknown == 0
    assert by["word", "unseen"].unknown > 0
    assert by["bpe", "train"].tokens_per_word < by["char", "train"].tokens_per_word
    assert all(0 <= row.coverage <= 1 for row in rows)


def test_a_text_without_words_is_refused() -> None:
    tokenizer = train_tokenizer(["abc"], TokenizerRequest(kind="char", size=20, exact=False))
    with pytest.raises(DataError, match="no word"):
        measure("char", "empty", tokenizer, ["", "  "])
