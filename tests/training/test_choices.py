from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import transformers as hf

from accordeur.training import choices
from accordeur.training.choices import choice_log_probs, grow, pair_by_pair

from . import tiny

SHARED = list(range(7, 30))
LABELS = [[5], [6, 20], [6, 21], [6, 20, 30, 31], [40, 41]]


def mistral() -> Any:
    config = hf.MistralConfig(
        vocab_size=tiny.VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=4,
    )  # fmt: skip
    return hf.MistralForCausalLM(config).eval()


def prompts(shared: bool, count: int = 9) -> list[list[int]]:
    random = tiny.rng(1)
    return [(SHARED if shared else []) + tiny.tokens(random, int(random.integers(1, 15))).tolist() for _ in range(count)]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("labels", [LABELS, [[5], [6]]])
@pytest.mark.parametrize("make", [tiny.gpt2, tiny.llama, tiny.t5, mistral])
def test_scores_are_those_of_every_pair_alone(make: Any, labels: list[list[int]], shared: bool) -> None:
    trunk = make()
    found = choice_log_probs(trunk, prompts(shared), labels, tiny.CPU, tiny.PAD)
    expected = np.concatenate([pair_by_pair(trunk, [prompt], labels, tiny.CPU, tiny.PAD) for prompt in prompts(shared)])
    assert found.shape == (9, len(labels))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("make", "way"), [(tiny.gpt2, 0), (tiny.llama, 0), (mistral, 1), (tiny.t5, 1)])
def test_models_that_cannot_branch_score_pair_by_pair(make: Any, way: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    plain = pair_by_pair
    monkeypatch.setattr(choices, "pair_by_pair", lambda *given: (calls.append(1), plain(*given))[1])
    choice_log_probs(make(), prompts(True, 2), LABELS, tiny.CPU, tiny.PAD)
    assert len(calls) == way


def test_the_tree_reads_a_common_beginning_once() -> None:
    tree = grow([[6, 20], [6, 21], [6, 20, 30], [5]])
    assert tree.tokens == (6, 20)
    assert tree.parents == (0, 1)
    assert tree.depths() == [1, 2]
    assert tree.asked[2] == ((0, 6), (1, 20), (2, 30))
    with pytest.raises(ValueError, match="at least one token"):
        grow([[]])


def test_no_prompt_gives_an_empty_table() -> None:
    assert choice_log_probs(tiny.gpt2(), [], LABELS, tiny.CPU, tiny.PAD).shape == (0, 5)
