"""Text to ids and back to characters, for the three families."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.errors import RecipeError
from accordeur.tasks import Codec
from tests.tasks.conftest import make_codec

TEXTS = ["Où est né de Gaulle ?", "  two  spaces 🙂 and\ttabs\n", "l'été", "x", "é🙂é", "<< 2013 >>"]


@pytest.mark.parametrize("text", TEXTS)
def test_the_frame_is_the_tokenizers_own(codec: Codec, text: str) -> None:
    ids, segments = codec.framed(text)
    assert ids.tolist() == codec.tokenizer(text)["input_ids"]
    assert segments is None


def test_a_pair_is_framed_as_the_tokenizer_does_it() -> None:
    codec = make_codec("encoder")
    ids, segments = codec.framed("où est-il ?", "à Lille")
    whole = codec.tokenizer("où est-il ?", "à Lille")
    assert ids.tolist() == whole["input_ids"]
    assert segments is not None
    assert segments.tolist() == whole["token_type_ids"]
    assert ids.tolist().count(codec.tokenizer.sep_token_id) == 2
    assert segments[0] == 0
    assert segments[-1] == 1


def test_a_pair_of_an_encoder_decoder_has_its_end_sign_between() -> None:
    codec = make_codec("encoder-decoder")
    ids, segments = codec.framed("Lille", "Paris")
    assert ids.tolist() == codec.tokenizer("Lille", "Paris")["input_ids"]
    assert segments is None


def test_a_pair_of_a_decoder_is_parted_by_a_line() -> None:
    codec = make_codec("decoder")
    ids, segments = codec.framed("Lille", "Paris")
    assert codec.tokenizer.decode(ids.tolist()) == "Lille\nParis"
    assert segments is None


SPELLED = {
    "encoder": ["[SEP]", "[CLS] a", "b [MASK] c"],
    "decoder": ["<|endoftext|>", "a <|endoftext|>"],
    "encoder-decoder": ["</s>", "a </s> b", "<pad>", "x</s>"],
}


def test_special_tokens_spelled_in_a_text_stay_text(family: str, codec: Codec) -> None:  # J29
    for text in SPELLED[family]:
        ids = codec.plain(text)
        assert not set(ids) & codec.special_ids
        assert ids == codec.pieces(text).ids.tolist()
        assert len(ids) > len(text.split())
        framed = codec.framed(text)[0].tolist()
        assert sum(identity in codec.special_ids for identity in framed) == codec.frame.size


def test_a_special_token_spelled_in_a_text_is_spelled_back() -> None:
    for family in ("decoder", "encoder-decoder"):
        codec = make_codec(family)
        assert codec.tokenizer.decode(codec.plain("a </s> b <|endoftext|>")).split() == ["a", "</s>", "b", "<|endoftext|>"]


@pytest.mark.parametrize("text", TEXTS)
def test_every_visible_character_stands_behind_some_piece(codec: Codec, text: str) -> None:
    pieces = codec.pieces(text)
    covered = {place for start, stop in zip(pieces.starts, pieces.stops, strict=True) for place in range(start, stop)}
    assert {place for place, sign in enumerate(text) if not sign.isspace()} <= covered
    assert (pieces.starts <= pieces.stops).all()
    assert (np.diff(pieces.starts) >= 0).all()
    assert pieces.stops.max() <= len(text)


@given(
    text=st.text(alphabet=st.sampled_from("abé 🙂'.À\n</s>[SEP]|"), max_size=30),
    family=st.sampled_from(["encoder", "decoder", "encoder-decoder"]),
)
@settings(max_examples=150, deadline=None)
def test_pieces_and_plain_agree_on_any_text(text: str, family: str) -> None:
    codec = make_codec(family)
    pieces = codec.pieces(text)
    assert pieces.ids.tolist() == codec.plain(text)
    assert len(pieces.ids) == len(pieces.starts) == len(pieces.stops)
    assert not set(pieces.ids.tolist()) & codec.special_ids


def test_a_limit_below_the_special_tokens_is_refused() -> None:
    codec = make_codec("encoder", max_length=3)
    with pytest.raises(RecipeError, match="max_length = 3 leaves 1 tokens beside 2 special ones"):
        codec.room(codec.frame)
