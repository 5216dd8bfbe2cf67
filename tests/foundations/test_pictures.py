"""Pictures and looks into models: figures with what they should hold, attention that sums to one, the model left as it was."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from accordeur.errors import NotApplicable
from accordeur.foundations import pictures
from accordeur.foundations.explain import explain
from accordeur.foundations.looks import attention_of, fill_mask, next_words
from accordeur.foundations.shapes import Shape, new_model
from accordeur.foundations.tokenizers import TokenizerRequest, train_tokenizer
from tests.foundations.words import lines

SHAPE = Shape(layers=2, width=32, heads=2, context=64, vocabulary=300)
BYTES = train_tokenizer(lines(200), TokenizerRequest(size=300))
WORDS = train_tokenizer(lines(200), TokenizerRequest(kind="wordpiece", size=100, family="bert"))


def drawn(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="svg")
    return stream.getvalue()


def said(figure: Figure) -> set[str]:
    return {text.get_text().strip() for plot in figure.axes for text in [*plot.texts, plot.title, *plot.get_yticklabels()]}


def test_the_picture_of_merges_shows_both_with_their_numbers() -> None:
    figure = pictures.merges(explain("low low low lower newest newest widest", merges=3))
    assert {"l + o", "4", "BPE: how often the pair occurs"} <= said(figure)
    assert drawn(figure).startswith(b"<?xml")


def test_tokens_of_unseen_words_are_all_there() -> None:
    assert {"unseen", "un", "seen", "x"} <= said(pictures.tokens(["unseen", "x"], [["un", "seen"], ["x"]]))


def test_padding_is_neither_seen_nor_sees_and_causal_is_a_triangle() -> None:
    seen = pictures.visible(2, 3, causal=True)
    assert seen.tolist() == [[True, False, False], [True, True, False], [False, False, False]]
    assert pictures.visible(3, 3, causal=False).all()
    assert len(pictures.masks([3, 5], causal=True).axes) == 2


def test_the_masking_picture_shows_the_sentence_before_and_after() -> None:
    figure = pictures.masking(["the", "river", "."], ["the", "[MASK]", "."], [False, True, False])
    assert {"river", "[MASK]"} <= said(figure)


@pytest.mark.parametrize(("family", "tokenizer"), [("gpt", BYTES), ("bert", WORDS)])
def test_attention_sums_to_one_and_the_model_stays_as_it_was(family: str, tokenizer: object) -> None:
    model = new_model(family, SHAPE, tokenizer, seed=0)  # type: ignore[arg-type]
    before = model.config._attn_implementation
    looks = attention_of(model, tokenizer, "The old river")
    assert looks.weights_LHTT.shape == (2, 2, len(looks.tokens), len(looks.tokens))
    assert looks.weights_LHTT.sum(-1) == pytest.approx(1, abs=1e-5)
    if family == "gpt":
        assert np.triu(looks.weights_LHTT, 1).max() == 0
    assert model.config._attn_implementation == before
    assert len(pictures.attention(looks.weights_LHTT[0, 0], looks.tokens).axes) == 1


def test_next_words_are_the_likeliest_first() -> None:
    model = new_model("gpt", SHAPE, BYTES, seed=0)
    found = next_words(model, BYTES, "The old", count=4)
    logits = model(torch.tensor([BYTES("The old", add_special_tokens=False)["input_ids"]])).logits[0, -1]
    assert [value for _, value in found] == pytest.approx(sorted(logits.softmax(-1).tolist(), reverse=True)[:4])
    assert {name for name, _ in found} <= said(pictures.probabilities(*zip(*found, strict=True), title="next"))


def test_a_mask_is_filled_and_no_mask_is_refused() -> None:
    import transformers

    model = transformers.BertForMaskedLM(new_model("bert", SHAPE, WORDS, seed=0).config).eval()
    assert len(fill_mask(model, WORDS, "The old [MASK] .")) == 5
    with pytest.raises(NotApplicable, match="0 masks"):
        fill_mask(model, WORDS, "The old river")


def test_architectures_curves_and_descents_are_drawn() -> None:
    assert len(pictures.architectures().axes) == 3
    assert len(pictures.lines({"a": [1, 2], "b": [2, 1]}, "step", "rate").axes[0].lines) == 2
    assert len(pictures.descents(20).axes[0].lines) == 4
