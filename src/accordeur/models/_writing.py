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
from accordeur.training.generate import generate, stream

MAX_ANSWER = 256  # tokens an evaluated answer may have, unless the train answers are shorter


def answer_limit(facts: Mapping[str, Any]) -> int:
    """How many tokens an answer may have, as decided when the model was made."""
    return int(facts.get("answer_limit", MAX_ANSWER))


def longest_answer(examples: Sequence[Example], task: Task, codec: Codec) -> int:
    """A limit for written answers: half as much again as the 99th percentile of the train answers, at most MAX_ANSWER."""
    sample = examples[: min(len(examples), 2000)]
    lengths = [len(codec.plain(kind_of(task.kind).target_text(example))) + 1 for example in sample]
    return int(min(MAX_ANSWER, max(8, np.ceil(1.5 * np.quantile(lengths, 0.99))))) if lengths else MAX_ANSWER


def positions(trunk: Any) -> int | None:
    """How many positions a base knows, where that is limited."""
    config = trunk.config
    for name in ("n_positions", "max_position_embeddings"):
        found = getattr(config, name, None)
        if isinstance(found, int) and found > 0 and config.model_type not in ("t5", "mt5"):
            return found
    return None


def fitted(prompt: Sequence[int], room: int | None, wanted: int) -> Sequence[int]:
    """The prompt, less its beginning where it would leave no room for an answer."""
    return prompt if room is None or len(prompt) + wanted <= room else prompt[-max(1, room - wanted) :]


def write_texts(trunk: Any, prompts: Sequence[Encoded], codec: Codec, device: DevicePlan, limit: int) -> list[str]:
    """Greedy answers as plain text, in order."""
    room = positions(trunk)
    wanted = limit if room is None else min(limit, max(1, room // 2))
    sampling = Sampling(max_new_tokens=wanted, stop_ids=(codec.end,))
    ids = [fitted([int(token) for token in prompt.tokens], room, wanted) for prompt in prompts]
    written = generate(trunk, ids, sampling, device, codec.pad)
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
    stops = sampling.stop_ids or (codec.end,)
    ids = fitted([int(token) for token in prompt.tokens], positions(trunk), sampling.max_new_tokens)
    yield from pieces(stream(trunk, ids, replace(sampling, stop_ids=stops)), codec)


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
