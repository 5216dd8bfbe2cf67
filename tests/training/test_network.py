from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from torch.nn import functional as F

from accordeur.errors import NotApplicable
from accordeur.example import IGNORED, Encoded
from accordeur.training.batches import collate
from accordeur.training.network import Network, at, is_decoder, noisy
from accordeur.training.pooling import POOLINGS, pool

from . import tiny

DECODERS = {
    "gpt2": tiny.gpt2,
    "llama": tiny.llama,
    "gemma2": lambda: hf.Gemma2ForCausalLM(
        hf.Gemma2Config(
            vocab_size=tiny.VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=16, final_logit_softcapping=3.0,
        )
    ).eval(),
    "cohere": lambda: hf.CohereForCausalLM(
        hf.CohereConfig(
            vocab_size=tiny.VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
            logit_scale=0.3,
        )
    ).eval(),
}  # fmt: skip


def reference_loss(trunk: Any, items: list[Encoded], smoothing: float = 0.0) -> torch.Tensor:
    """One row at a time, with the whole table of logits."""
    total = torch.zeros(())
    for item in items:
        target = torch.from_numpy(np.asarray(item.target)).long()
        logits = trunk(input_ids=torch.from_numpy(item.tokens).long()[None]).logits[0]
        total = total + F.cross_entropy(logits, target, reduction="sum", ignore_index=IGNORED, label_smoothing=smoothing)
    return total


@pytest.mark.parametrize("family", DECODERS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_head_on_labels_only_gives_the_loss_and_gradient_of_all_logits(family: str, smoothing: float) -> None:
    trunk = DECODERS[family]()
    network = Network(trunk, "causal")
    assert network.tiled
    items = tiny.causal_rows(6)
    loss, units = network.loss(collate(items, tiny.PAD), smoothing)
    loss.backward()
    ours = {name: p.grad.clone() for name, p in trunk.named_parameters() if p.grad is not None}
    trunk.zero_grad()
    expected = reference_loss(trunk, items, smoothing)
    expected.backward()
    assert units == sum(item.units for item in items)
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    for name, p in trunk.named_parameters():
        if p.grad is not None:
            torch.testing.assert_close(ours[name], p.grad, rtol=1e-4, atol=1e-6 * float(p.grad.abs().max()) + 1e-5)


def test_a_head_that_is_no_plain_matrix_is_run_by_the_trunk() -> None:
    trunk = tiny.gpt2()
    trunk.lm_head = torch.nn.Sequential(trunk.lm_head, torch.nn.Tanh())
    network = Network(trunk, "causal")
    assert not network.tiled
    items = tiny.causal_rows(3)
    loss, _ = network.loss(collate(items, tiny.PAD))
    assert float(loss.detach()) == pytest.approx(float(reference_loss(trunk, items).detach()), rel=1e-5)


def test_masked_and_sequence_to_sequence_losses_are_those_of_the_library() -> None:
    items = tiny.causal_rows(4, longest=12)
    masked = tiny.masked_bert()
    network = Network(masked, "masked")
    assert network.tiled
    loss, _ = network.loss(collate(items, tiny.PAD))
    assert float(loss.detach()) == pytest.approx(float(reference_loss(masked, items).detach()), rel=1e-5)

    model = tiny.t5()
    pairs = [Encoded(tokens=item.tokens, target=item.tokens[: 3 + place]) for place, item in enumerate(items)]
    network = Network(model, "seq2seq")
    assert network.tiled
    expected = 0.0
    for item in pairs:
        labels = torch.from_numpy(np.asarray(item.target)).long()[None]
        expected += (
            float(model(input_ids=torch.from_numpy(item.tokens).long()[None], labels=labels).loss.detach()) * labels.numel()
        )
    assert float(network.loss(collate(pairs, tiny.PAD))[0].detach()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_ignores_padding(pooling: str) -> None:
    hidden = torch.randn(2, 5, 3)
    lengths = torch.tensor([5, 2])
    changed = hidden.clone()
    changed[1, 2:] = 1e6
    torch.testing.assert_close(pool(changed, lengths, pooling), pool(hidden, lengths, pooling))
    expected = {"cls": hidden[1, 0], "last": hidden[1, 1], "mean": hidden[1, :2].mean(0), "max": hidden[1, :2].amax(0)}[pooling]
    torch.testing.assert_close(pool(hidden, lengths, pooling)[1], expected)


@pytest.mark.parametrize("trunk", [tiny.bert, tiny.gpt2, tiny.t5])
@pytest.mark.parametrize("form", ["label", "tokens", "span", "score"])
def test_answers_do_not_depend_on_the_company_of_a_row(trunk: Any, form: str) -> None:
    network = Network(trunk(), form, outputs=4, seed=1).eval()  # type: ignore[arg-type]
    items = tiny.label_rows(5)
    together = network.answers(collate(items, tiny.PAD))
    for item, found in zip(items, together, strict=True):
        alone = network.answers(collate([item], tiny.PAD))[0]
        length = len(item.tokens)
        assert found.dtype == np.float32
        assert found.shape == {"label": (4,), "tokens": (length, 4), "span": (length, 2), "score": ()}[form]
        np.testing.assert_allclose(found, alone, rtol=1e-4, atol=1e-5)


def test_a_label_loss_is_the_librarys_cross_entropy_and_log_probs_add_up_to_it() -> None:
    network = Network(tiny.bert(), "label", outputs=3, dropout=0.0).eval()
    items = tiny.label_rows(6)
    batch = collate(items, tiny.PAD)
    loss, units = network.loss(batch)
    logits = torch.from_numpy(np.stack(network.answers(batch)))
    assert units == 6
    assert float(loss.detach()) == pytest.approx(float(F.cross_entropy(logits, batch.targets, reduction="sum")), rel=1e-5)
    assert -sum(float(row.sum()) for row in network.log_probs(batch)) == pytest.approx(float(loss.detach()), rel=1e-5)
    assert [len(row) for row in network.log_probs(batch)] == [1] * 6


def test_a_span_is_two_choices_among_the_real_tokens() -> None:
    network = Network(tiny.bert(), "span", dropout=0.0).eval()
    items = [Encoded(tokens=item.tokens, target=np.array([0, 1], dtype=np.int32)) for item in tiny.label_rows(4)]
    batch = collate(items, tiny.PAD)
    loss, units = network.loss(batch)
    expected = 0.0
    for answer in network.answers(batch):
        log_probs = torch.from_numpy(answer).log_softmax(0)
        expected -= float(log_probs[0, 0] + log_probs[1, 1])
    assert units == 8
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)
    assert [len(row) for row in network.log_probs(batch)] == [2] * 4


def test_a_score_is_a_squared_error_and_a_normal_log_probability() -> None:
    network = Network(tiny.bert(), "score", dropout=0.0).eval()
    items = [Encoded(tokens=item.tokens, target=0.5 * place) for place, item in enumerate(tiny.label_rows(3))]
    batch = collate(items, tiny.PAD)
    errors = [float(answer) - item.target for answer, item in zip(network.answers(batch), items, strict=True)]  # type: ignore[operator]
    assert float(network.loss(batch)[0].detach()) == pytest.approx(sum(error**2 for error in errors), rel=1e-5)
    for found, error in zip(network.log_probs(batch), errors, strict=True):
        assert float(found[0]) == pytest.approx(-0.5 * error**2 - 0.5 * math.log(2 * math.pi), rel=1e-5)


def test_causal_log_probs_are_per_answer_token_and_never_smoothed() -> None:
    trunk = tiny.gpt2()
    network = Network(trunk, "causal").eval()
    items = tiny.causal_rows(5)
    found = network.log_probs(collate(items, tiny.PAD))
    assert [len(row) for row in found] == [item.units for item in items]
    assert -sum(float(row.sum()) for row in found) == pytest.approx(float(reference_loss(trunk, items).detach()), rel=1e-5)


def test_the_head_depends_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = Network(tiny.bert(), "label", outputs=3, seed=5).head
    torch.manual_seed(2)
    again, other = Network(tiny.bert(), "label", outputs=3, seed=5).head, Network(tiny.bert(), "label", outputs=3, seed=6).head
    assert first is not None and again is not None and other is not None
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, other.weight)


def test_making_a_network_leaves_the_random_state_alone() -> None:
    trunk = tiny.gpt2()
    before = torch.get_rng_state()
    Network(trunk, "causal")
    Network(trunk, "label", outputs=3)
    assert torch.equal(before, torch.get_rng_state())


def test_families_are_told_apart() -> None:
    assert is_decoder(tiny.gpt2()) and is_decoder(tiny.llama())
    assert not is_decoder(tiny.bert()) and not is_decoder(tiny.t5())


def test_a_language_model_has_no_head_of_its_own_to_answer_with() -> None:
    with pytest.raises(NotApplicable, match="answers by generating"):
        Network(tiny.gpt2(), "causal").answers(collate(tiny.causal_rows(1), tiny.PAD))


def test_smoothing_a_span_is_spread_over_the_real_places_of_its_row() -> None:
    network = Network(tiny.bert(), "span", outputs=2, dropout=0.0)
    rows = [
        Encoded(tokens=np.arange(2, 2 + length, dtype=np.int32), target=np.asarray(target, np.int32), row=place)
        for place, (length, target) in enumerate([(5, (1, 3)), (9, (0, 0)), (7, (6, 6))])
    ]
    with torch.no_grad():
        found, count = network.loss(collate(rows, tiny.PAD), 0.2)
        expected = 0.0
        for row in rows:
            logits_T2 = network.logits(collate([row], tiny.PAD))[0]
            expected += float(
                F.cross_entropy(logits_T2.T, torch.from_numpy(row.target).long(), label_smoothing=0.2, reduction="sum")
            )
    assert count == 6
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_where_everything_is_asked_nothing_is_picked_out_and_the_loss_is_the_same() -> None:
    values, everywhere = torch.randn(2, 5, 3), torch.ones(2, 5, dtype=torch.bool)
    assert torch.equal(at(values, None), at(values, everywhere))
    random = tiny.rng(4)
    items = [Encoded(tokens=tiny.tokens(random, 9), target=tiny.tokens(random, 9)) for _ in range(3)]
    trunk = tiny.gpt2()
    network = Network(trunk, "causal")
    hidden_NH, targets_N, _ = network.labelled(collate(items, tiny.PAD))
    assert hidden_NH.shape == (27, tiny.WIDTH) and targets_N.tolist() == np.concatenate([row.target for row in items]).tolist()  # type: ignore[misc]
    loss, units = network.loss(collate(items, tiny.PAD))
    assert units == 27
    assert float(loss.detach()) == pytest.approx(float(reference_loss(trunk, items).detach()), rel=1e-5)
    padded = [*items, Encoded(tokens=tiny.tokens(random, 4), target=np.full(4, IGNORED, np.int32))]
    (ours,) = torch.autograd.grad(loss, trunk.transformer.wte.weight)
    (theirs,) = torch.autograd.grad(network.loss(collate(padded, tiny.PAD))[0], trunk.transformer.wte.weight)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_noise_is_uniform_within_neftunes_bound() -> None:
    """Jain et al. 2023: uniform in ± alpha / √(L·H), L the row's real length, so that its norm is about alpha / √3."""
    batch = collate(tiny.label_rows(4, longest=30), tiny.PAD)
    zeros = torch.zeros(*batch.tokens_BT.shape, tiny.WIDTH)
    torch.manual_seed(0)
    noise = noisy(zeros, batch, 5.0)
    for row, length in enumerate(batch.lengths_B.tolist()):
        bound = 5.0 / (length * tiny.WIDTH) ** 0.5
        real = noise[row, :length]
        assert 0.9 * bound < float(real.abs().max()) <= bound
        assert float(real.norm()) == pytest.approx(5.0 / 3**0.5, rel=0.15)
