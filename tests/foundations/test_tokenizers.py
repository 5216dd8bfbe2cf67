"""Tokenizers of five kinds: opened by AutoTokenizer, whole round trips, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from transformers import AutoTokenizer

from accordeur.errors import RecipeError
from accordeur.foundations.tokenizers import BUILDERS, TokenizerRequest, open_tokenizer, train_tokenizer
from tests.foundations.words import lines

BYTES = train_tokenizer(lines(200), TokenizerRequest(kind="bpe", size=300))


@pytest.mark.parametrize("kind", BUILDERS)
def test_every_kind_is_opened_by_autotokenizer_with_the_same_ids(kind: str, tmp_path: Path) -> None:
    asked = TokenizerRequest(kind=kind, size=300 if kind == "bpe" else 60, exact=False)  # type: ignore[arg-type]
    tokenizer = train_tokenizer(lines(200), asked)
    tokenizer.save_pretrained(tmp_path)
    opened = AutoTokenizer.from_pretrained(tmp_path)
    line = lines(1, seed=5)[0]
    assert opened(line)["input_ids"] == tokenizer(line)["input_ids"] == open_tokenizer(tmp_path)(line)["input_ids"]
    assert len({opened.pad_token_id, opened.eos_token_id, opened.unk_token_id}) == 3


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_bytes_bring_every_text_back(text: str) -> None:
    ids = BYTES(text, add_special_tokens=False)["input_ids"]
    assert BYTES.decode(ids) == text
    assert BYTES.unk_token_id not in ids


def test_elisions_and_contractions_stay_whole() -> None:
    cut = [part for part, _ in BYTES.backend_tokenizer.pre_tokenizer.pre_tokenize_str("qu'il l'été don't 12345")]
    assert cut == ["qu'", "il", "Ġl'", "Ã©tÃ©", "Ġdon", "'t", "Ġ123", "45"]


def test_a_pair_for_bert_has_its_marks_and_segments() -> None:
    tokenizer = train_tokenizer(lines(200), TokenizerRequest(kind="wordpiece", size=90, family="bert"))
    encoded = tokenizer("the river", "la maison")
    ids, segments = encoded["input_ids"], encoded["token_type_ids"]
    assert ids[0] == tokenizer.cls_token_id
    assert ids.count(tokenizer.sep_token_id) == 2
    assert ids[-1] == tokenizer.sep_token_id
    second = ids.index(tokenizer.sep_token_id) + 1
    assert segments == [0] * second + [1] * (len(ids) - second)


def test_sentinels_of_t5_are_single_tokens() -> None:
    tokenizer = train_tokenizer(lines(200), TokenizerRequest(kind="bpe", size=400, family="t5"))
    ids = tokenizer("<extra_id_0> the <extra_id_99>", add_special_tokens=False)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids)[0] == "<extra_id_0>"
    assert tokenizer.convert_ids_to_tokens(ids)[-1] == "<extra_id_99>"
    assert tokenizer("the")["input_ids"][-1] == tokenizer.eos_token_id


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_vocabulary_larger_than_the_text_allows_is_refused(kind: str) -> None:
    with pytest.raises(RecipeError, match="corpus allows only") as caught:
        train_tokenizer(["the river"], TokenizerRequest(kind=kind, size=5000))  # type: ignore[arg-type]
    assert "--size" in caught.value.hint


def test_a_size_below_the_special_tokens_is_refused() -> None:
    with pytest.raises(RecipeError, match="special tokens"):
        train_tokenizer(["the river"], TokenizerRequest(kind="word", size=3))


@pytest.mark.parametrize(("family", "least"), [("gpt", 259), ("bert", 261), ("t5", 359)])
def test_bytes_need_room_for_themselves(family: Any, least: int) -> None:
    with pytest.raises(RecipeError, match="256 bytes") as caught:
        train_tokenizer(lines(20), TokenizerRequest(size=least - 1, family=family))
    assert caught.value.hint == f"choose {least} or more"
    assert len(train_tokenizer(lines(20), TokenizerRequest(size=least, family=family))) == least


@pytest.mark.parametrize("kind", sorted({*BUILDERS} - {"unigram"}))  # whose trainer breaks ties by a hash table
def test_the_same_text_gives_the_same_tokenizer(kind: str) -> None:
    asked = TokenizerRequest(kind=kind, size=300 if kind == "bpe" else 110, exact=False)  # type: ignore[arg-type]
    first, *others = (train_tokenizer(lines(240), asked).backend_tokenizer.to_str() for _ in range(4))
    assert all(other == first for other in others)
