from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from accordeur.plan import Sampling
from accordeur.training.generate import choose, generate, own_stops, stream

from . import tiny

MODELS = {"gpt2": tiny.gpt2, "llama": tiny.llama, "t5": tiny.t5}


def prompts(count: int = 5) -> list[np.ndarray]:
    random = tiny.rng(3)
    return [tiny.tokens(random, int(random.integers(1, 20))) for _ in range(count)]


@pytest.mark.parametrize("family", MODELS)
def test_a_batch_writes_what_each_prompt_writes_alone_and_streaming_the_same(family: str) -> None:
    trunk = MODELS[family]()
    sampling = Sampling(max_new_tokens=8, stop_ids=(1,))
    together = generate(trunk, prompts(), sampling, tiny.CPU, tiny.PAD)
    for prompt, found in zip(prompts(), together, strict=True):
        assert generate(trunk, [prompt], sampling, tiny.CPU, tiny.PAD)[0] == found
        assert [token for token, _ in stream(trunk, prompt, sampling)] == found
        assert len(found) <= 8


@pytest.mark.parametrize("family", MODELS)
def test_streamed_log_probs_are_those_of_the_model(family: str) -> None:
    trunk, prompt = MODELS[family](), prompts()[0]
    pieces = list(stream(trunk, prompt, Sampling(max_new_tokens=5, temperature=1.3, top_k=20, seed=4, stop_ids=(96,))))
    ids = torch.from_numpy(prompt).long()[None]
    answer = torch.tensor([[token for token, _ in pieces]])
    with torch.no_grad():
        if family == "t5":
            logits = trunk(input_ids=ids, labels=answer).logits[0]
        else:
            logits = trunk(input_ids=torch.cat([ids, answer], 1)).logits[0, ids.shape[1] - 1 : -1]
    expected = logits.log_softmax(-1)[torch.arange(answer.shape[1]), answer[0]]
    torch.testing.assert_close(torch.tensor([log_prob for _, log_prob in pieces]), expected, rtol=1e-4, atol=1e-4)


def test_text_ends_before_the_stop_token() -> None:
    trunk, prompt = tiny.gpt2(), prompts()[0]
    free = generate(trunk, [prompt], Sampling(max_new_tokens=10, stop_ids=(tiny.VOCABULARY - 1,)), tiny.CPU, tiny.PAD)[0]
    stop = free[4]
    cut = free[: free.index(stop)]
    sampling = Sampling(max_new_tokens=10, stop_ids=(stop,))
    assert generate(trunk, [prompt, *prompts()], sampling, tiny.CPU, tiny.PAD)[0] == cut
    assert [token for token, _ in stream(trunk, prompt, sampling)] == cut


@pytest.mark.parametrize("family", MODELS)
def test_sampling_depends_on_its_seed_alone_and_leaves_the_random_state(family: str) -> None:
    trunk = MODELS[family]()

    def write(seed: int) -> tuple[Any, Any]:
        torch.manual_seed(np.random.randint(1000))
        before = torch.get_rng_state()
        sampling = Sampling(max_new_tokens=8, temperature=1.0, top_p=0.95, seed=seed)
        result = generate(trunk, prompts(), sampling, tiny.CPU, tiny.PAD), list(stream(trunk, prompts()[0], sampling))
        assert torch.equal(before, torch.get_rng_state())
        return result

    assert write(1) == write(1)
    assert write(1) != write(2)


@pytest.mark.parametrize("make", [tiny.gpt2, tiny.t5, tiny.bart])
def test_greedy_text_does_not_hang_on_the_bases_own_settings(make: Any) -> None:
    habits = {"no_repeat_ngram_size": 1, "repetition_penalty": 5.0, "min_length": 20, "forced_eos_token_id": 5}
    plain, strict = make(), make()
    strict.generation_config.update(**habits)
    free = generate(plain, prompts(), Sampling(max_new_tokens=12, stop_ids=(96,)), tiny.CPU, tiny.PAD)
    for stops in ((96,), (96, free[0][3])):  # the second one is met sooner than the least length allows
        sampling = Sampling(max_new_tokens=12, stop_ids=stops)
        together = generate(strict, prompts(), sampling, tiny.CPU, tiny.PAD)
        assert together == generate(plain, prompts(), sampling, tiny.CPU, tiny.PAD)
        assert together == [[token for token, _ in stream(strict, prompt, sampling)] for prompt in prompts()]
    assert {name: getattr(strict.generation_config, name) for name in habits} == habits


def test_an_answer_starts_as_in_training() -> None:
    trunk = tiny.t5()
    trunk.config.decoder_start_token_id = 7
    sampling = Sampling(max_new_tokens=6, stop_ids=(96,))
    found = generate(trunk, prompts(), sampling, tiny.CPU, tiny.PAD)
    assert found == [[token for token, _ in stream(trunk, prompt, sampling)] for prompt in prompts()]
    trunk.config.decoder_start_token_id, trunk.generation_config.decoder_start_token_id = None, 7
    assert found == generate(trunk, prompts(), sampling, tiny.CPU, tiny.PAD)
    assert found == [[token for token, _ in stream(trunk, prompt, sampling)] for prompt in prompts()]


def test_all_tokens_by_which_a_base_ends_are_its_stops() -> None:
    trunk = tiny.gpt2()
    assert own_stops(trunk) == (1,)
    trunk.generation_config.eos_token_id = [5, 6]
    assert own_stops(trunk) == (5, 6, 1)
    trunk.generation_config.eos_token_id = trunk.config.eos_token_id = None
    assert own_stops(trunk) == ()


def test_beams_find_a_text_at_least_as_probable_as_the_greedy_one() -> None:
    trunk, prompt = tiny.gpt2(), prompts()[1]

    def log_prob(ids: list[int]) -> float:
        whole = torch.tensor([[*prompt.tolist(), *ids]])
        with torch.no_grad():
            logits = trunk(input_ids=whole).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
        return float(logits[torch.arange(len(ids)), torch.tensor(ids)].sum())

    greedy, beams = (
        generate(trunk, [prompt], Sampling(max_new_tokens=4, beams=beams, stop_ids=(tiny.VOCABULARY - 1,)), tiny.CPU, tiny.PAD)[0]
        for beams in (1, 6)
    )
    assert log_prob(beams) >= log_prob(greedy) - 1e-5
    with pytest.raises(ValueError, match="one beam"):
        list(stream(trunk, prompt, Sampling(beams=2)))


def test_choosing_cuts_by_top_k_and_top_p() -> None:
    log_probs = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    random = torch.Generator().manual_seed(0)

    def drawn(**sampling: Any) -> set[int]:
        return {int(choose(log_probs, Sampling(temperature=1.0, **sampling), random)) for _ in range(300)}

    assert drawn() == {0, 1, 2, 3}
    assert drawn(top_k=2) == {0, 1}
    assert drawn(top_p=0.7) == {0, 1}
    assert drawn(top_p=0.01) == {0}
    assert int(choose(log_probs, Sampling(), random)) == 0


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one token"):
        generate(tiny.gpt2(), [[]], Sampling(max_new_tokens=2), tiny.CPU, tiny.PAD)
