"""What a pretrained decoder writes, and three numbers about it: words that exist, copying, repetition."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
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


def longest_copy(text: str, sources: Iterable[str]) -> int:
    """Characters of the longest stretch of a text that stands in one of the sources as well, in one pass over each.

    The text becomes a suffix automaton (Blumer et al. 1985), so that sources of any length are read once and not held.
    """
    automaton = suffix_automaton(text)
    steps, links, lengths = automaton.steps, automaton.links, automaton.lengths
    longest = 0
    for source in sources:
        state, matched = 0, 0
        for letter in source:
            following = steps[state].get(letter)
            while following is None and state:
                state = links[state]
                matched = lengths[state]
                following = steps[state].get(letter)
            if following is not None:
                state, matched = following, matched + 1
                longest = max(longest, matched)
    return longest


@dataclass(frozen=True, kw_only=True)
class Automaton:
    """States of all stretches of a text; state 0 is the empty one, a link leads to the longest suffix that is another state."""

    steps: list[dict[str, int]]
    links: list[int]
    lengths: list[int]  # of the longest stretch of each state


def suffix_automaton(text: str) -> Automaton:
    """Built letter by letter, in time proportional to the text."""
    steps: list[dict[str, int]] = [{}]
    links, lengths = [-1], [0]
    last = 0
    for letter in text:
        new, place = len(steps), last
        steps.append({})
        links.append(0)
        lengths.append(lengths[last] + 1)
        while place >= 0 and letter not in steps[place]:
            steps[place][letter] = new
            place = links[place]
        if place >= 0:
            target = steps[place][letter]
            if lengths[target] == lengths[place] + 1:
                links[new] = target
            else:  # the target stands for longer stretches too: it is split
                clone = len(steps)
                steps.append(dict(steps[target]))
                links.append(links[target])
                lengths.append(lengths[place] + 1)
                while place >= 0 and steps[place].get(letter) == target:
                    steps[place][letter] = clone
                    place = links[place]
                links[target] = links[new] = clone
        last = new
    return Automaton(steps=steps, links=links, lengths=lengths)


def distinct_share(ids: Sequence[int], size: int = 4) -> float:
    """Different n-grams among all n-grams: low where a text repeats itself."""
    grams = [tuple(ids[place : place + size]) for place in range(len(ids) - size + 1)]
    return len(set(grams)) / max(1, len(grams))
