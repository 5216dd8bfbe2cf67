"""What a pretrained decoder writes, and three numbers about it: words that exist, copying, repetition."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import torch

WORD = re.compile(r"[^\W\d_]+")


@torch.no_grad()
def sample(model: Any, tokenizer: Any, prompt: str, *, tokens: int = 40, top_k: int = 40, seed: int = 0) -> str:
    """A continuation drawn from the `top_k` likeliest tokens (0: from all). No other random state is touched."""
    generator = torch.Generator().manual_seed(seed)
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    given, context = len(ids), int(model.config.n_positions)
    for _ in range(tokens):
        logits_V = (
            model(input_ids=torch.tensor([ids[-context:]], device=model.device), use_cache=False).logits[0, -1].float().cpu()
        )
        if top_k:
            logits_V[logits_V < logits_V.topk(min(top_k, len(logits_V))).values[-1]] = -torch.inf
        drawn = int(torch.multinomial(logits_V.softmax(-1), 1, generator=generator))
        if drawn == tokenizer.eos_token_id:
            break
        ids.append(drawn)
    text: str = tokenizer.decode(ids[given:])
    return text


def known_share(texts: Sequence[str], known: Collection[str]) -> float:
    """The share of written words (letters only, case folded) that are among the known ones; the last of a text may be cut."""
    words = [word.casefold() for text in texts for word in WORD.findall(text)[:-1]]
    return sum(word in known for word in words) / max(1, len(words))


def longest_copy(text: str, source: str) -> int:
    """Characters of the longest stretch of a text that stands in the source as well."""
    longest, start = 0, 0
    while start + longest < len(text):
        if text[start : start + longest + 1] in source:
            longest += 1
        else:
            start += 1
    return longest


def distinct_share(ids: Sequence[int], size: int = 4) -> float:
    """Different n-grams among all n-grams: low where a text repeats itself."""
    grams = [tuple(ids[place : place + size]) for place in range(len(ids) - size + 1)]
    return len(set(grams)) / max(1, len(grams))
