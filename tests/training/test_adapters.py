from __future__ import annotations

from typing import Any

import pytest
import torch

from accordeur.plan import DevicePlan
from accordeur.training.adapters import LowRankLinear, fused, keep_mask
from accordeur.training.batches import collate
from accordeur.training.narrow import narrowed
from accordeur.training.network import Network
from accordeur.training.trainable import lora, moved_tensors

from . import tiny


def test_the_mask_drops_the_asked_share() -> None:
    torch.manual_seed(0)
    mask = keep_mask(torch.Size([999, 333]), 0.1)
    assert float((~mask).float().mean()) == pytest.approx(0.1, abs=0.003)
    columns = mask.flatten()[: 4 * (mask.numel() // 4)].view(-1, 4).float()
    assert torch.allclose(columns.mean(0), torch.full((4,), 0.9), atol=0.005)
    assert float(torch.corrcoef(columns.T).fill_diagonal_(0).abs().max()) < 0.01


def test_the_layer_has_the_gradient_of_its_formula() -> None:
    torch.manual_seed(0)
    x, a, b = (torch.randn(size, dtype=torch.float64, requires_grad=True) for size in ((5, 6), (2, 6), (7, 2)))
    weight, bias = torch.randn(6, 7, dtype=torch.float64), torch.randn(7, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x, *rest: LowRankLinear.apply(x, weight, bias, *rest, 3.0, 0.0), (x, a, b))

    def dropped(x: Any, *rest: Any) -> Any:
        torch.manual_seed(1)
        return LowRankLinear.apply(x, weight, None, *rest, 3.0, 0.4)

    assert torch.autograd.gradcheck(dropped, (x, a, b))
    torch.manual_seed(1)
    keep = keep_mask(x.shape, 0.4)
    torch.testing.assert_close(dropped(x, a, b), x @ weight + 3.0 * (x * keep / 0.6) @ a.T @ b.T)


def test_in_half_precision_the_short_way_is_as_near_to_float32_as_pefts_own() -> None:
    network = Network(tiny.gpt2(), "causal")
    lora(network, rank=4, alpha=8)
    torch.manual_seed(5)
    for name, tensor in moved_tensors(network).items():
        if "lora_B" in name:
            tensor.normal_(0, 0.1)
    batch = collate(tiny.causal_rows(5), tiny.PAD)

    def gradient(half: bool) -> torch.Tensor:
        network.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            loss = network.train().loss(batch)[0]
        loss.backward()
        return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])

    exact, plain = gradient(half=False), gradient(half=True)
    with fused(network.trunk), narrowed(network, DevicePlan(dtype="bfloat16")):
        short = gradient(half=True)
    assert short.dtype == torch.float32
    assert float((short - exact).norm()) <= 1.2 * float((plain - exact).norm())


@pytest.mark.parametrize(
    ("make", "form"), [(tiny.gpt2, "causal"), (tiny.llama, "causal"), (tiny.bert, "label"), (tiny.t5, "seq2seq")]
)
def test_loss_and_gradients_are_pefts_own(make: Any, form: str) -> None:
    network = Network(make(), form, outputs=3, dropout=0.0)  # type: ignore[arg-type]
    lora(network, rank=4, alpha=8)
    torch.manual_seed(5)
    for name, tensor in moved_tensors(network).items():
        if "lora_B" in name:
            tensor.normal_(0, 0.1)
    batch = collate(tiny.label_rows(5) if form == "label" else tiny.causal_rows(5), tiny.PAD)

    def gradients() -> dict[str, torch.Tensor]:
        network.zero_grad()
        loss = network.train().loss(batch)[0]
        loss.backward()
        return {"loss": loss.detach()} | {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}

    expected = gradients()
    with fused(network.trunk) as count:
        found = gradients()
    assert count > 0
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5)
    with fused(network.trunk) as again:
        assert again == count
    torch.testing.assert_close(gradients()["loss"], expected["loss"], rtol=0, atol=0)
