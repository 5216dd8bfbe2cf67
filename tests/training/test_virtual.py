from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from accordeur.errors import NotApplicable
from accordeur.example import Encoded
from accordeur.plan import Sampling
from accordeur.training import scoring
from accordeur.training.batches import collate
from accordeur.training.generate import generate, stream
from accordeur.training.network import Network
from accordeur.training.trainable import moved_tensors
from accordeur.training.virtual import prefix, soft_prompt

from . import tiny

SOFT = [
    (tiny.bert, "label"),
    (tiny.gpt2, "causal"),
    (tiny.gpt2, "label"),
    (tiny.llama, "causal"),
    (tiny.t5, "seq2seq"),
    (tiny.t5, "label"),
]
ATTENDED = [(tiny.bert, "label"), (tiny.gpt2, "causal"), (tiny.llama, "causal"), (tiny.t5, "seq2seq")]
CASES = [(soft_prompt, *case) for case in SOFT] + [(prefix, *case) for case in ATTENDED]


def prepared(put: Any, make: Any, form: Any) -> Network:
    network = Network(make(), form, outputs=3, dropout=0.0)
    put(network, tokens=5)
    torch.manual_seed(3)
    with torch.no_grad():
        network.trunk.virtual_tokens.weight.normal_(0.0, 0.5)
    return network


def rows_for(form: str, count: int = 6) -> list[Encoded]:
    return tiny.label_rows(count) if form == "label" else tiny.causal_rows(count)


@pytest.mark.parametrize(("put", "make", "form"), CASES)
def test_only_they_move_and_the_answer_changes(put: Any, make: Any, form: str) -> None:
    network, batch = prepared(put, make, form), collate(rows_for(form), tiny.PAD)
    network.train().loss(batch)[0].backward()
    gradients = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert (
        gradients
        == set(moved_tensors(network))
        == {"trunk.virtual_tokens.weight"} | ({"head.weight", "head.bias"} if form == "label" else set())
    )
    assert (
        float(network.trunk.virtual_tokens.weight.grad.abs().min())
        >= 0
        < float(network.trunk.virtual_tokens.weight.grad.abs().max())
    )
    plain = Network(make(), form, outputs=3, dropout=0.0)  # type: ignore[arg-type]
    with torch.no_grad():
        assert abs(float(network.eval().loss(batch)[0]) - float(plain.loss(batch)[0])) > 1e-3


@pytest.mark.parametrize(("put", "make", "form"), CASES)
def test_padding_and_neighbours_change_nothing(put: Any, make: Any, form: str) -> None:
    network, rows = prepared(put, make, form), rows_for(form)
    together = scoring.log_probs(network, rows, tiny.CPU, tiny.PAD)
    for row, expected in zip(rows, together, strict=True):
        np.testing.assert_allclose(scoring.log_probs(network, [row], tiny.CPU, tiny.PAD)[0], expected, atol=2e-5)


@pytest.mark.parametrize(
    ("put", "make"), [(soft_prompt, tiny.gpt2), (soft_prompt, tiny.llama), (prefix, tiny.gpt2), (prefix, tiny.llama)]
)
def test_writing_with_a_cache_is_the_likeliest_token_at_every_step(put: Any, make: Any) -> None:
    """Alone, padded on the left beside a longer prompt, and streamed: each token is the argmax of a pass without any cache."""
    network = prepared(put, make, "causal")
    prompts = [[5, 9, 11], [7, 8, 9, 10, 11, 12, 13]]
    sampling = Sampling(max_new_tokens=6, stop_ids=(10**6,))
    written = generate(network.trunk, prompts, sampling, tiny.CPU, tiny.PAD)
    for prompt, answer in zip(prompts, written, strict=True):
        ids = list(prompt)
        for token in answer:
            row = Encoded(tokens=np.asarray(ids, np.int32), target=np.asarray([-100] * (len(ids) - 1) + [1], np.int32))
            hidden, _, head = network.labelled(collate([row], tiny.PAD))
            assert token == int((hidden @ head.weight_VH.T).argmax())
            ids.append(token)
        assert [token for token, _ in stream(network.trunk, prompt, sampling, tiny.CPU)] == answer


@pytest.mark.parametrize("put", [soft_prompt, prefix])
def test_an_encoder_decoder_writes_what_scoring_finds_likeliest(put: Any) -> None:
    network = prepared(put, tiny.t5, "seq2seq")
    prompt = [5, 9, 11, 1]
    answer = generate(network.trunk, [prompt, [4, 1]], Sampling(max_new_tokens=4, stop_ids=(10**6,)), tiny.CPU, tiny.PAD)[0]
    row = Encoded(tokens=np.asarray(prompt, np.int32), target=np.asarray(answer, np.int32))
    hidden, _, head = network.labelled(collate([row], tiny.PAD))
    assert (hidden @ head.weight_VH.T * head.scale).argmax(-1).tolist() == answer


def test_a_prefix_is_the_attention_over_more_places() -> None:
    """One layer by hand: softmax over [prefix keys, own keys]."""
    network = prepared(prefix, tiny.bert, "label")
    attention = network.trunk.encoder.layer[0].attention.self
    hidden = torch.randn(2, 4, tiny.WIDTH)
    table = network.trunk.virtual_tokens.weight.view(5, 4, 4, 16).permute(1, 2, 0, 3)

    def heads(layer: Any) -> torch.Tensor:
        return layer(hidden).view(2, 4, 4, 16).transpose(1, 2)

    keys = torch.cat([table[0].expand(2, -1, -1, -1), heads(attention.key)], dim=2)
    values = torch.cat([table[1].expand(2, -1, -1, -1), heads(attention.value)], dim=2)
    expected = ((heads(attention.query) @ keys.mT / 4).softmax(-1) @ values).transpose(1, 2).flatten(2)
    seen = {}
    attention.register_forward_pre_hook(lambda module, args, kwargs: ((hidden, *args[1:]), kwargs), with_kwargs=True)
    attention.register_forward_hook(lambda module, args, output: seen.update(out=output[0]))
    network.hidden(collate([Encoded(tokens=np.asarray([3, 4, 5, 6], np.int32), target=0)] * 2, tiny.PAD))
    torch.testing.assert_close(seen["out"], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("put", "make", "form"), [CASES[0], CASES[6]])
def test_a_copy_reads_its_own(put: Any, make: Any, form: str) -> None:
    network, batch = prepared(put, make, form), collate(rows_for(form), tiny.PAD)
    expected = network.loss(batch)[0]
    other = copy.deepcopy(network)
    with torch.no_grad():
        other.trunk.virtual_tokens.weight.neg_()
    assert not torch.allclose(other.loss(batch)[0], expected)
    torch.testing.assert_close(network.loss(batch)[0], expected, rtol=0, atol=0)


def test_where_a_prefix_cannot_go() -> None:
    with pytest.raises(NotApplicable):
        prefix(Network(tiny.t5(), "label", outputs=2))
