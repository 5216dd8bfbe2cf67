"""What a real model does at one sentence: where its heads look, what it expects next, what it puts into a gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from accordeur.errors import NotApplicable


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Attention of a model on a sentence: weights (layers, heads, T, T), and the T tokens' names."""

    weights_LHTT: npt.NDArray[np.float32]
    tokens: tuple[str, ...]


@torch.no_grad()
def attention_of(model: Any, tokenizer: Any, text: str) -> Looks:
    """The attention of an encoder or a decoder. The model is put back as it was."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")  # the only one that keeps its weights
    try:
        encoded = tokenizer(text, return_tensors="pt")
        output = model(**encoded, output_attentions=True)
    finally:
        model.set_attn_implementation(before)
    weights = torch.stack([layer[0] for layer in output.attentions]).float().numpy()
    return Looks(weights_LHTT=weights, tokens=names(tokenizer, encoded["input_ids"][0].tolist()))


@torch.no_grad()
def next_words(model: Any, tokenizer: Any, text: str, count: int = 5) -> list[tuple[str, float]]:
    """The likeliest next tokens of a decoder, with their probabilities."""
    ids = tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
    return likeliest(model(input_ids=ids).logits[0, -1], tokenizer, count)


@torch.no_grad()
def fill_mask(model: Any, tokenizer: Any, text: str, count: int = 5) -> list[tuple[str, float]]:
    """The likeliest fillings of the one mask of a text, by a masked language model. NotApplicable where there is not one mask."""
    encoded = tokenizer(text, return_tensors="pt")
    places = (encoded["input_ids"][0] == tokenizer.mask_token_id).nonzero()[:, 0]
    if tokenizer.mask_token_id is None or len(places) != 1:
        raise NotApplicable(f"the text holds {len(places)} masks, expected one {tokenizer.mask_token}")
    return likeliest(model(**encoded).logits[0, int(places[0])], tokenizer, count)


def likeliest(logits_V: torch.Tensor, tokenizer: Any, count: int) -> list[tuple[str, float]]:
    """Names and probabilities of the highest logits, highest first."""
    values, ids = logits_V.float().softmax(-1).topk(min(count, len(logits_V)))
    return list(zip(names(tokenizer, ids.tolist()), values.tolist(), strict=True))


def names(tokenizer: Any, ids: list[int]) -> tuple[str, ...]:
    """Tokens as text; spaces and line breaks visible."""
    return tuple(tokenizer.decode([number]).replace(" ", "␣").replace("\n", "↵") or "·" for number in ids)
