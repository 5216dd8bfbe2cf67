from __future__ import annotations

from typing import Any

import pytest
import torch

from accordeur.training.adapters import LowRankUpdate, fused, keep_mask
from accordeur.training.batches import collate
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


def test_the_update_has_the_gradient_of_its_formula() -> None:
    torch.manual_seed(0)
    sizes = ((5, 7), (5, 6), (2, 6), (7, 2))
    result, x, a, b = (torch.randn(size, dtype=torch.float64, requires_grad=True) for size in sizes)
    assert torch.autograd.gradcheck(lambda r, *rest: LowRankUpdate.apply(r * 1.0, *rest, 3.0, 0.0), (result, x, a, b))

    def dropped(*inputs: Any) -> Any:
        torch.manual_seed(1)
        return LowRankUpdate.apply(inputs[0] * 1.0, *inputs[1:], 3.0, 0.4)

    assert torch.autograd.gradcheck(dropped, (result, x, a, b))
    torch.manual_seed(1)
    keep = keep_mask(x.shape, 0.4)
    torch.testing.assert_close(dropped(result, x, a, b), result + 3.0 * (x * keep / 0.6) @ a.T @ b.T)


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
