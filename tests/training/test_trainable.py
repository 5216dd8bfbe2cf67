from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from accordeur.errors import RecipeError
from accordeur.training.batches import collate
from accordeur.training.inserted import low_rank, scaled
from accordeur.training.network import Network
from accordeur.training.trainable import (
    blocks,
    count,
    freeze_all,
    load_moved,
    lora,
    moved_tensors,
    silence_dropout,
    unfreeze,
    unfreeze_top,
)

from . import tiny


def test_freezing_and_unfreezing_by_name_and_by_predicate() -> None:
    network = Network(tiny.bert(), "label", outputs=3)
    freeze_all(network)
    assert moved_tensors(network) == {}
    assert unfreeze(network, ["head."]) == 3 * tiny.WIDTH + 3
    assert set(moved_tensors(network)) == {"head.weight", "head.bias"}
    unfreeze(network, lambda name: "LayerNorm" in name)
    assert count(network).moving == sum(tensor.numel() for tensor in moved_tensors(network).values())
    with pytest.raises(ValueError, match="no parameter matches"):
        unfreeze(network, ["hed."])


@pytest.mark.parametrize("make", [tiny.gpt2, tiny.llama, tiny.bert])
def test_the_top_is_the_last_blocks_the_head_and_the_final_norm(make: object) -> None:
    network = Network(make(), "label", outputs=3)  # type: ignore[operator]
    assert len(blocks(network.trunk)) == 2
    unfreeze_top(network, 1)
    names = set(moved_tensors(network))
    last = blocks(network.trunk)[-1][0]
    assert {name for name in names if not name.startswith(("head.", f"trunk.{last}."))} == {
        "gpt2": {"trunk.transformer.ln_f.weight", "trunk.transformer.ln_f.bias"},
        "llama": {"trunk.model.norm.weight"},
        "bert": set(),
    }[network.trunk.config.model_type]
    with pytest.raises(ValueError, match="1 to 2"):
        unfreeze_top(network, 3)


@pytest.mark.parametrize(
    ("make", "form"), [(tiny.gpt2, "causal"), (tiny.llama, "causal"), (tiny.bert, "label"), (tiny.t5, "seq2seq")]
)
def test_adapters_start_as_nothing_and_only_they_and_the_head_move(make: object, form: str) -> None:
    trunk = make()  # type: ignore[operator]
    network = Network(trunk, form, outputs=3, dropout=0.0)  # type: ignore[arg-type]
    items = tiny.label_rows(3) if form == "label" else tiny.causal_rows(3)
    before = network.loss(collate(items, tiny.PAD))[0].detach()
    random = torch.get_rng_state()
    lora(network, rank=4, alpha=8)
    assert torch.equal(random, torch.get_rng_state())
    torch.testing.assert_close(network.loss(collate(items, tiny.PAD))[0].detach(), before)
    assert all("lora_" in name or name.startswith("head.") for name in moved_tensors(network))
    assert 0 < count(network).moving < count(network).total / 3


def test_adapters_start_from_the_networks_seed() -> None:
    def start(seed: int) -> torch.Tensor:
        network = Network(tiny.gpt2(), "causal", seed=seed)
        lora(network, rank=4, alpha=8)
        return next(tensor for name, tensor in moved_tensors(network).items() if "lora_A" in name)

    assert torch.equal(start(1), start(1))
    assert not torch.equal(start(1), start(2))


def test_a_silent_trunk_drops_nothing_and_adapters_keep_their_dropout() -> None:
    network = Network(tiny.gpt2(dropout=0.5), "causal")
    lora(network, rank=4, alpha=8, dropout=0.25)
    rates = {type(m).__name__ + name: m.p for name, m in network.trunk.named_modules() if isinstance(m, nn.Dropout)}
    assert {rate for name, rate in rates.items() if "lora_" in name} == {0.25}
    assert {rate for name, rate in rates.items() if "lora_" not in name} == {0.0}
    items = collate(tiny.causal_rows(3), tiny.PAD)
    silent = tiny.t5()
    silence_dropout(silent)
    assert float(Network(tiny.gpt2(), "causal").train().loss(items)[0].detach()) > 0
    kept = Network(tiny.gpt2(dropout=0.5), "causal")
    lora(kept, rank=4, alpha=8, trunk_dropout="keep")
    assert any(isinstance(m, nn.Dropout) and m.p == 0.5 for m in kept.trunk.modules())


def test_moved_weights_go_back_bit_for_bit_and_strange_ones_are_refused() -> None:
    first, second = Network(tiny.bert(), "label", outputs=3, seed=1), Network(tiny.bert(), "label", outputs=3, seed=2)
    load_moved(second, {name: tensor.clone() for name, tensor in moved_tensors(first).items()})
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    with pytest.raises(ValueError, match="don't fit"):
        load_moved(first, {"head.weight": torch.zeros(1, 1)})


def test_barts_norm_of_the_embeddings_is_no_last_norm() -> None:
    network = Network(tiny.bart(), "seq2seq")
    unfreeze_top(network, 1)
    assert {name.rpartition(".")[0] for name in moved_tensors(network) if "layers." not in name} == set()


def test_low_rank_layers_of_a_trunk_without_its_language_head() -> None:
    network = Network(tiny.gpt2().transformer, "label", outputs=3)
    low_rank(network, rank=4, layers=1)
    assert {name.split(".")[2] for name in moved_tensors(network) if "lora_" in name} == {"1"}


@pytest.mark.parametrize("put_in", [low_rank, scaled])
def test_every_named_target_has_to_match(put_in: Any) -> None:
    network = Network(tiny.bert(), "label", outputs=3)
    with pytest.raises(RecipeError, match="'valeu' matches no layer"):
        put_in(network, targets=["query", "valeu"])


@pytest.mark.parametrize("put_in", [lambda network: low_rank(network, rank=4, use_dora=True), scaled])
@pytest.mark.parametrize("make", [tiny.bert, tiny.gpt2])
def test_dora_and_learned_scales_start_as_the_identity(put_in: Any, make: Any) -> None:
    network = Network(make(), "label", outputs=3, dropout=0.0)
    batch = collate(tiny.label_rows(3), tiny.PAD)
    before = network.loss(batch)[0].detach()
    put_in(network)
    torch.testing.assert_close(network.loss(batch)[0].detach(), before)
