"""What prompts begin with in common is read once, and nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import transformers as hf

from accordeur.example import IGNORED, Encoded
from accordeur.plan import Sampling
from accordeur.training import scoring
from accordeur.training.generate import generate
from accordeur.training.network import Network
from accordeur.training.prefix import LEAST, answer_log_probs, common_prefix, families, sees_everything
from accordeur.training.virtual import soft_prompt

from . import tiny

SHARED = list(range(7, 37))
TURNS = {"gpt2": tiny.gpt2, "llama": tiny.llama}


def prompts(count: int = 6, shared: bool = True) -> list[list[int]]:
    random = tiny.rng(1)
    return [(SHARED if shared else []) + tiny.tokens(random, int(random.integers(1, 12))).tolist() for _ in range(count)]


@contextmanager
def counted(trunk: Any) -> Iterator[list[int]]:
    """How many tokens the trunk reads, pass by pass."""
    read: list[int] = []
    hook = trunk.base_model.register_forward_pre_hook(
        lambda _, given, named: read.append((given[0] if given else named["input_ids"]).numel()), with_kwargs=True
    )
    yield read
    hook.remove()


def test_the_common_prefix_leaves_every_prompt_a_token() -> None:
    assert common_prefix([[1, 2, 3], [1, 2, 4]]) == 2
    assert common_prefix([[1, 2], [1, 2], [1, 2]]) == 1
    assert common_prefix([[3, 2], [1, 2]]) == 0
    assert common_prefix([[1, 2, 3], [1]]) == 0
    assert common_prefix([[1, 2, 3]]) == 0
    with pytest.raises(ValueError, match="at least one token"):
        common_prefix([[], [1]])


def test_prompts_that_begin_otherwise_cost_the_others_nothing() -> None:
    given = [[*SHARED, 1], [*SHARED, 2, 3], [5, 5], SHARED[3:], [*SHARED, 4]]
    assert families(given) == [([0, 1, 4], len(SHARED)), ([2, 3], 0)]
    assert families([[1, 2], [1, 2]]) == [([0, 1], 0)]
    assert families([SHARED]) == [([0], 0)]
    twice = [[*SHARED, 1], [*SHARED, 2], [9, *SHARED, 1], [9, *SHARED, 2]]
    assert families(twice) == [([0, 1], len(SHARED)), ([2, 3], len(SHARED) + 1)]
    assert len(SHARED) > LEAST


@pytest.mark.parametrize("family", TURNS)
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_texts_are_those_of_every_prompt_alone(family: str, temperature: float) -> None:
    trunk = TURNS[family]()
    sampling = Sampling(max_new_tokens=7, temperature=temperature, top_k=1 if temperature else 0, stop_ids=(1,))
    given = [*prompts(), [4, 5, 6], SHARED[1:]]
    with counted(trunk) as read:
        together = generate(trunk, given, sampling, tiny.CPU, tiny.PAD)
    assert together == [generate(trunk, [prompt], sampling, tiny.CPU, tiny.PAD)[0] for prompt in given]
    assert read[0] == len(SHARED), "the shared part is read first, once"
    assert read[1] <= 6 * 13, "then only what is each prompt's own"


@pytest.mark.parametrize("family", TURNS)
def test_log_probs_are_those_of_every_row_alone(family: str) -> None:
    network = Network(TURNS[family](), "causal")
    items = []
    for row, ids in enumerate([*prompts(), [4, 5, 6]]):
        target = np.full(len(ids), IGNORED, np.int32)
        target[-2:] = 11 + row, 12
        items.append(Encoded(tokens=np.asarray(ids, np.int32), target=target, row=row))
    with counted(network.trunk) as read:
        found = answer_log_probs(network, items, tiny.CPU, tiny.PAD)
    expected = [scoring.log_probs(network, [item], tiny.CPU, tiny.PAD)[0] for item in items]
    assert [len(row) for row in found] == [len(row) for row in expected]
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(expected), rtol=1e-4, atol=1e-5)
    assert max(read) <= 6 * 14


def test_what_is_asked_is_never_shared() -> None:
    """Rows that are equal up to their last token still answer for every token that is asked of them."""
    network = Network(tiny.gpt2(), "causal")
    ids = np.asarray([*SHARED, 1, 2, 3], np.int32)
    target = np.full(len(ids), IGNORED, np.int32)
    target[20:] = 5
    found = answer_log_probs(network, [Encoded(tokens=ids, target=target)] * 3, tiny.CPU, tiny.PAD)
    expected = scoring.log_probs(network, [Encoded(tokens=ids, target=target)], tiny.CPU, tiny.PAD)[0]
    for row in found:
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-5)


def test_models_that_do_not_see_everything_share_nothing() -> None:
    config = hf.MistralConfig(
        vocab_size=tiny.VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=4,
    )  # fmt: skip
    trunk = hf.MistralForCausalLM(config).eval()
    assert not sees_everything(trunk)
    assert not sees_everything(tiny.t5())
    sampling = Sampling(max_new_tokens=4, stop_ids=(1,))
    with counted(trunk) as read:
        together = generate(trunk, prompts(), sampling, tiny.CPU, tiny.PAD)
    assert together == [generate(trunk, [prompt], sampling, tiny.CPU, tiny.PAD)[0] for prompt in prompts()]
    assert read[0] > 6 * len(SHARED)


def test_virtual_tokens_come_before_everything_so_nothing_is_shared() -> None:
    network = Network(tiny.gpt2(), "causal")
    assert sees_everything(network.trunk)
    soft_prompt(network, tokens=3)
    assert not sees_everything(network.trunk)
    sampling = Sampling(max_new_tokens=4, stop_ids=(1,))
    together = generate(network.trunk, prompts(), sampling, tiny.CPU, tiny.PAD)
    assert together == [generate(network.trunk, [prompt], sampling, tiny.CPU, tiny.PAD)[0] for prompt in prompts()]
