from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from accordeur.training import vocabulary
from accordeur.training.vocabulary import LossTerms, VocabularyHead, label_log_probs, loss_sum


def plain_loss(logits: torch.Tensor, targets: torch.Tensor, terms: LossTerms) -> torch.Tensor:
    loss = F.cross_entropy(logits, targets, reduction="sum", label_smoothing=terms.smoothing)
    return loss + terms.z_loss * logits.logsumexp(-1).square().sum()


@pytest.mark.parametrize("scale", [1.0, 0.25])
@pytest.mark.parametrize("softcap", [None, 5.0])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("terms", [LossTerms(), LossTerms(smoothing=0.1), LossTerms(smoothing=0.2, z_loss=1e-2)])
def test_tiled_loss_and_gradients_are_those_of_the_full_table(
    monkeypatch: pytest.MonkeyPatch, terms: LossTerms, bias: bool, softcap: float | None, scale: float
) -> None:
    monkeypatch.setattr(vocabulary, "TILE_BYTES", 4 * 50 * 7)  # seven positions a tile
    torch.manual_seed(0)
    hidden = torch.randn(23, 16, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(50, 16, dtype=torch.float64, requires_grad=True)
    extra = torch.randn(50, dtype=torch.float64, requires_grad=True) if bias else None
    targets = torch.randint(0, 50, (23,))
    inputs = [tensor for tensor in (hidden, weight, extra) if tensor is not None]

    logits = scale * F.linear(hidden, weight, extra)
    logits = logits if softcap is None else softcap * torch.tanh(logits / softcap)
    expected = plain_loss(logits, targets, terms)
    head = VocabularyHead(weight_VH=weight, bias_V=extra, scale=scale, softcap=softcap)
    found = loss_sum(head, hidden, targets, terms)

    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    for ours, theirs in zip(torch.autograd.grad(found * 0.3, inputs), torch.autograd.grad(expected * 0.3, inputs), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    with torch.no_grad():
        torch.testing.assert_close(loss_sum(head, hidden, targets, terms), expected, rtol=1e-12, atol=1e-12)


def test_a_frozen_head_gets_no_gradient() -> None:
    hidden = torch.randn(5, 8, requires_grad=True)
    weight = torch.randn(11, 8)
    loss_sum(VocabularyHead(weight_VH=weight), hidden, torch.arange(5), LossTerms()).backward()
    assert weight.grad is None
    assert hidden.grad is not None


def test_no_labelled_position_gives_zero_loss_and_zero_gradient() -> None:
    hidden = torch.randn(0, 8, requires_grad=True)
    weight = torch.randn(11, 8, requires_grad=True)
    loss = loss_sum(VocabularyHead(weight_VH=weight), hidden, torch.zeros(0, dtype=torch.int64), LossTerms())
    loss.backward()
    assert loss.item() == 0.0
    assert weight.grad is not None and float(weight.grad.abs().sum()) == 0.0


def test_log_probs_are_those_of_the_full_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "TILE_BYTES", 4 * 50 * 3)
    hidden, weight, targets = torch.randn(10, 16), torch.randn(50, 16), torch.randint(0, 50, (10,))
    expected = (hidden @ weight.T).log_softmax(1)[torch.arange(10), targets]
    torch.testing.assert_close(label_log_probs(VocabularyHead(weight_VH=weight), hidden, targets), expected)


def loss_and_gradients(head: VocabularyHead, hidden: torch.Tensor, targets: torch.Tensor, terms: LossTerms) -> list[torch.Tensor]:
    inputs = [tensor for tensor in (hidden, head.weight_VH, head.bias_V) if tensor is not None]
    loss = loss_sum(head, hidden, targets, terms)
    return [loss.detach(), *torch.autograd.grad(loss, inputs)]


@pytest.mark.parametrize("head", [{}, {"scale": 0.25, "softcap": 5.0}])
@pytest.mark.parametrize("terms", [LossTerms(), LossTerms(smoothing=0.2, z_loss=1e-2)])
@pytest.mark.parametrize("half", [False, True])
def test_strips_that_fit_the_cache_give_what_the_whole_tile_gives(
    monkeypatch: pytest.MonkeyPatch, half: bool, terms: LossTerms, head: dict[str, float]
) -> None:
    torch.manual_seed(0)
    hidden, weight, bias = (torch.randn(*shape, requires_grad=True) for shape in ((23, 16), (50, 16), (50,)))
    targets, found = torch.randint(0, 50, (23,)), []
    for rows in (5, 23):
        monkeypatch.setattr(vocabulary, "STRIP_BYTES", 4 * 50 * rows)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            found.append(loss_and_gradients(VocabularyHead(weight_VH=weight, bias_V=bias, **head), hidden, targets, terms))
    for strips, whole in zip(*found, strict=True):
        torch.testing.assert_close(strips, whole, rtol=1e-5, atol=1e-6)


def test_in_half_precision_only_the_products_are_rounded() -> None:
    torch.manual_seed(1)
    hidden, weight = torch.randn(23, 16, requires_grad=True), torch.randn(50, 16, requires_grad=True)
    targets = torch.randint(0, 50, (23,))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, by_hidden, by_weight = loss_and_gradients(VocabularyHead(weight_VH=weight), hidden, targets, LossTerms())
    narrow_hidden, narrow_weight = hidden.detach().bfloat16(), weight.detach().bfloat16()
    logits = F.linear(narrow_hidden, narrow_weight).float()
    gradient = (logits.softmax(1) - F.one_hot(targets, 50)).bfloat16()
    torch.testing.assert_close(loss, F.cross_entropy(logits, targets, reduction="sum"))
    torch.testing.assert_close(by_hidden, (gradient @ narrow_weight).float())
    torch.testing.assert_close(by_weight, (gradient.T @ narrow_hidden).float())


def test_a_target_as_good_as_impossible_has_its_exact_loss() -> None:
    logits = torch.tensor([[0.0, -60.0, -90.0, -200.0], [3.0, 3.0, 3.0, 3.0], [500.0, 0.0, -500.0, 1.0]])
    targets, terms = torch.tensor([3, 1, 2]), LossTerms(smoothing=0.1, z_loss=1e-3)
    head, hidden = VocabularyHead(weight_VH=torch.eye(4)), logits.clone().requires_grad_()
    loss = loss_sum(head, hidden, targets, terms)
    (found,) = torch.autograd.grad(loss, hidden)
    twin = logits.clone().requires_grad_()
    expected = plain_loss(twin, targets, terms)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(found, torch.autograd.grad(expected, twin)[0])
    with torch.no_grad():
        torch.testing.assert_close(loss_sum(head, logits, targets, terms), expected)
    torch.testing.assert_close(label_log_probs(head, logits, targets), logits.log_softmax(1)[torch.arange(3), targets])
