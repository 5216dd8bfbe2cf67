"""Writing texts with a language model: in batches for evaluation, token by token for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from accordeur.adapted import Message, Token
from accordeur.errors import NotApplicable
from accordeur.example import Encoded, Example
from accordeur.plan import DevicePlan, Sampling
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.training import virtual
from accordeur.training.generate import generate, own_stops, stream

MAX_ANSWER = 256  # tokens an evaluated answer may have, unless the train answers are shorter
MIN_ANSWER = 8  # tokens that must be left for an answer: only where they aren't is a prompt cut


def answer_limit(facts: Mapping[str, Any]) -> int:
    """How many tokens an answer may have, as decided when the model was made."""
    return int(facts.get("answer_limit", MAX_ANSWER))


def longest_answer(examples: Sequence[Example], task: Task, codec: Codec) -> int:
    """A limit for written answers: half as much again as the 99th percentile of the train answers, at most MAX_ANSWER."""
    sample = examples[: min(len(examples), 2000)]
    lengths = [len(codec.plain(kind_of(task.kind).target_text(example))) + 1 for example in sample]
    return int(min(MAX_ANSWER, max(8, np.ceil(1.5 * np.quantile(lengths, 0.99))))) if lengths else MAX_ANSWER


def positions(trunk: Any) -> int | None:
    """How many positions a base has for text, where they are limited: less those of virtual tokens."""
    config, taken = trunk.config, len(getattr(trunk, virtual.NAME).weight) if hasattr(trunk, virtual.NAME) else 0
    for name in ("n_positions", "max_position_embeddings"):
        found = getattr(config, name, None)
        if isinstance(found, int) and found > 0 and config.model_type not in ("t5", "mt5"):
            return found - taken
    return None


def fitted(prompt: Sequence[int], room: int | None, answer: int, codec: Codec) -> Sequence[int]:
    """The prompt, less what follows its first special token where it leaves no room for an answer of so many tokens.

    The answer gets half the room at most; that of an encoder-decoder has positions of its own.
    """
    if room is None:
        return prompt
    most = room if codec.family == "encoder-decoder" else max(1, room - min(answer, room // 2))
    if len(prompt) <= most:
        return prompt
    opening = prompt[: int(most > 1 and prompt[0] in (*codec.opening, codec.tokenizer.bos_token_id))]
    return [*opening, *prompt[len(prompt) - most + len(opening) :]]


def new_tokens(prompt: Sequence[int], room: int | None, limit: int, codec: Codec) -> int:
    """How many tokens may follow a prompt: the limit, or in steps of eight, so that rows go together, what the room leaves."""
    if room is None:
        return limit
    left = max(1, room if codec.family == "encoder-decoder" else room - len(prompt))
    return limit if left >= limit else left // MIN_ANSWER * MIN_ANSWER or left


def ends(trunk: Any, codec: Codec) -> tuple[int, ...]:
    """The tokens that end an answer: the one that training puts behind it, and those by which the base ends a turn."""
    return tuple(dict.fromkeys((codec.end, *own_stops(trunk))))


def written_ids(
    trunk: Any, prompts: Sequence[Encoded], codec: Codec, device: DevicePlan, limit: int, *, beams: int = 1
) -> list[list[int]]:
    """The most probable answers as ids, in order; a row's own length alone decides how long its answer may be."""
    room = positions(trunk)
    ids = [fitted(prompt.tokens.tolist(), room, min(limit, MIN_ANSWER), codec) for prompt in prompts]
    limits = [new_tokens(own, room, limit, codec) for own in ids]
    answers: dict[int, list[int]] = {}
    for most in sorted(set(limits)):
        rows = [row for row, own in enumerate(limits) if own == most]
        sampling = Sampling(max_new_tokens=most, beams=beams, stop_ids=ends(trunk, codec))
        found = generate(trunk, [ids[row] for row in rows], sampling, device, codec.pad)
        answers.update(zip(rows, found, strict=True))
    return [answers[row] for row in range(len(ids))]


def write_texts(
    trunk: Any, prompts: Sequence[Encoded], codec: Codec, device: DevicePlan, limit: int, *, beams: int = 1
) -> list[str]:
    """The most probable answers as plain text, in order."""
    written = written_ids(trunk, prompts, codec, device, limit, beams=beams)
    return [codec.tokenizer.decode(tokens, skip_special_tokens=True) for tokens in written]


def conversation(messages: Sequence[Message]) -> Example:
    """A conversation as a row of kind write that ends with the user's turn."""
    turns = tuple({"role": message.role, "content": message.content} for message in messages)
    if not turns or turns[-1]["role"] != "user":
        raise ValueError("a conversation must end with a turn of the user")
    if len(turns) == 1:
        return Example(id="chat", given={"instruction": turns[0]["content"], "input": ""}, expected="")
    return Example(id="chat", given={"messages": turns}, expected="")


def stream_text(trunk: Any, messages: Sequence[Message], task: Task, codec: Codec, sampling: Sampling) -> Iterator[Token]:
    """An answer to a conversation, laid out as the kind `write` lays out its prompts; whole characters only."""
    if codec.family == "encoder":
        raise NotApplicable("an encoder does not write")
    prompt = kind_of("write").prompt(conversation(messages), 0, task, codec)
    room, limit = positions(trunk), sampling.max_new_tokens
    ids = fitted(prompt.tokens.tolist(), room, min(limit, MIN_ANSWER), codec)
    stops, most = sampling.stop_ids or ends(trunk, codec), new_tokens(ids, room, limit, codec)
    yield from pieces(stream(trunk, ids, replace(sampling, stop_ids=stops, max_new_tokens=most)), codec)


def pieces(tokens: Iterator[tuple[int, float]], codec: Codec) -> Iterator[Token]:
    """Token ids as growing text: a token that ends inside a character waits for the next one."""
    seen: list[int] = []
    shown, waiting = "", 0.0
    for token, log_prob in tokens:
        seen.append(token)
        waiting += log_prob
        text = codec.tokenizer.decode(seen, skip_special_tokens=True)
        if not text.endswith("�"):
            yield Token(text=text[len(shown) :], log_prob=waiting)
            shown, waiting = text, 0.0
