"""Samples and the numbers about them."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from accordeur.foundations.samples import distinct_share, known_share, longest_copy, sample
from accordeur.foundations.shapes import Shape, new_model
from accordeur.foundations.tokenizers import TokenizerRequest, train_tokenizer
from tests.foundations.words import lines

TOKENIZER = train_tokenizer(lines(200), TokenizerRequest(size=300))
MODEL = new_model("gpt", Shape(layers=1, width=32, heads=2, context=16, vocabulary=300), TOKENIZER, seed=0)


def test_a_sample_depends_on_its_seed_alone_and_may_outgrow_the_context() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = sample(MODEL, TOKENIZER, "The river", tokens=30, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert first == sample(MODEL, TOKENIZER, "The river", tokens=30, seed=1)
    assert first != sample(MODEL, TOKENIZER, "The river", tokens=30, seed=2)


def test_one_likeliest_token_is_greedy() -> None:
    assert sample(MODEL, TOKENIZER, "The", tokens=8, top_k=1, seed=1) == sample(
        MODEL, TOKENIZER, "The", tokens=8, top_k=1, seed=2
    )


def test_the_numbers_by_hand() -> None:
    assert known_share(["The old rivvr ran", "x y"], {"the", "old", "x"}) == pytest.approx(3 / 4)
    assert longest_copy("she saw the river go", ["near the river. he saw"]) == len(" the river")
    assert longest_copy("", ["abc"]) == longest_copy("xyz", ["abc"]) == longest_copy("abc", []) == 0
    assert distinct_share([1, 2, 3, 4, 1, 2, 3, 4]) == pytest.approx(4 / 5)


@settings(max_examples=200, deadline=None)
@given(st.text("abc", max_size=20), st.lists(st.text("abc", max_size=12), max_size=3))
def test_the_longest_copy_is_the_longest_common_stretch(text: str, sources: list[str]) -> None:
    stretches = {text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)}
    expected = max((len(part) for part in stretches if any(part in source for source in sources)), default=0)
    assert longest_copy(text, sources) == expected
