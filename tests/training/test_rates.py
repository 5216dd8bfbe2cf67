from __future__ import annotations

from typing import Any

import pytest
import torch

from accordeur.training.loop import train
from accordeur.training.network import Network
from accordeur.training.optimizers import build, groups, set_rate
from accordeur.training.rates import beginnings, depths, paces
from accordeur.training.trainable import lora, moved_tensors, unfreeze_biases, unfreeze_top

from . import tiny


def test_lower_blocks_move_slower_by_a_factor_each() -> None:
    network = Network(tiny.bert(), "label", outputs=3)
    pace = paces(network, tiny.settings(layer_decay=0.5))
    found = [pace(name).factor for name in (
        "head.weight", "trunk.encoder.layer.1.output.dense.weight", "trunk.encoder.layer.0.output.dense.weight",
        "trunk.embeddings.word_embeddings.weight",
    )]  # fmt: skip
    assert found == [1.0, 0.5, 0.25, 0.125]
    rates = {group["peak"] for group in groups(network, tiny.settings(rate=1.0, layer_decay=0.5))}
    assert rates == {1.0, 0.5, 0.25, 0.125}


@pytest.mark.parametrize(
    ("make", "form", "top"),
    [(tiny.gpt2, "causal", "transformer.ln_f.weight"), (tiny.t5, "seq2seq", "decoder.final_layer_norm.weight")],
)
def test_the_last_norm_counts_as_the_top(make: Any, form: Any, top: str) -> None:
    network = Network(make(), form)
    depth_of, highest = depths(network)
    assert depth_of(f"trunk.{top}") == highest
    assert highest == (5 if form == "seq2seq" else 3)
    assert depth_of("trunk.shared.weight" if form == "seq2seq" else "trunk.transformer.wte.weight") == 0


def test_lora_plus_moves_b_faster() -> None:
    network = Network(tiny.bert(), "label", outputs=3)
    lora(network, rank=2)
    pace = paces(network, tiny.settings(b_factor=16.0))
    assert {pace(name).factor for name in moved_tensors(network) if ".lora_B." in name} == {16.0}
    assert {pace(name).factor for name in moved_tensors(network) if ".lora_B." not in name} == {1.0}
    assert {group["peak"] for group in groups(network, tiny.settings(rate=0.5, b_factor=16.0))} == {0.5, 8.0}


def test_blocks_open_one_by_one_from_the_top() -> None:
    network = Network(tiny.bert(), "label", outputs=3)
    settings = tiny.settings(rate=1.0, gradual=0.6)
    pace = paces(network, settings)
    names = (
        "head.bias",
        "trunk.encoder.layer.1.output.dense.bias",
        "trunk.encoder.layer.0.output.dense.bias",
        "trunk.embeddings.LayerNorm.bias",
    )
    assert [round(pace(name).opens, 6) for name in names] == [0.0, 0.0, 0.2, 0.4]
    optimizer = build(network, settings)
    assert set_rate(optimizer, 0.5, 0.3) == 0.5
    found = {(round(group["opens"], 6), group["lr"]) for group in optimizer.param_groups}
    assert found == {(0.0, 0.5), (0.2, 0.5), (0.4, 0.0)}


def test_a_closed_block_stays_bit_for_bit_until_it_opens(tmp_path: Any) -> None:
    network = Network(tiny.bert(), "label", outputs=3)
    unfreeze_top(network, 2)
    low = "trunk.encoder.layer.0.output.dense.weight"
    before = {name: tensor.clone() for name, tensor in moved_tensors(network).items()}
    halfway: dict[str, torch.Tensor] = {}

    def look(**values: Any) -> None:
        if values["step"] == 4:
            halfway.update({name: tensor.clone() for name, tensor in moved_tensors(network).items()})

    train(network, tiny.label_rows(16), tiny.settings(gradual=0.9), tiny.plan(10), tiny.lent(tmp_path, note=look))
    top = "trunk.encoder.layer.1.output.dense.weight"
    assert torch.equal(halfway[low], before[low])
    assert not torch.equal(halfway[top], before[top])


@pytest.mark.parametrize(("make", "form"), [(tiny.bert, "label"), (tiny.gpt2, "causal")])
def test_biases_alone(make: Any, form: Any) -> None:
    network = Network(make(), form, outputs=3)
    unfreeze_biases(network)
    assert all(name.endswith(".bias") or name == "head.weight" for name in moved_tensors(network))
    assert sum(name.endswith(".bias") for name, _ in network.named_parameters()) == sum(
        name.endswith(".bias") for name in moved_tensors(network)
    )


def test_families_without_biases_are_refused() -> None:
    for make, form in ((tiny.t5, "seq2seq"), (tiny.llama, "causal")):
        with pytest.raises(ValueError):
            unfreeze_biases(Network(make(), form))  # type: ignore[arg-type]


def test_top_blocks_of_an_encoder_decoder() -> None:
    written, labelled = Network(tiny.t5(), "seq2seq"), Network(tiny.t5(), "label", outputs=2)
    unfreeze_top(written, 1)
    assert all(name.startswith(("trunk.decoder.block.1.", "trunk.decoder.final_layer_norm")) for name in moved_tensors(written))
    unfreeze_top(labelled, 1)
    assert all(
        name.startswith(("head.", "trunk.encoder.block.1.", "trunk.encoder.final_layer_norm")) for name in moved_tensors(labelled)
    )


def test_an_output_head_of_its_own_and_each_stacks_last_norm_have_their_depths() -> None:
    depth_of, highest = depths(Network(tiny.llama(), "causal"))  # its head is not tied to the embeddings
    assert depth_of("trunk.lm_head.weight") == highest == 3
    depth_of, highest = depths(Network(tiny.t5(), "seq2seq"))
    assert depth_of("trunk.encoder.final_layer_norm.weight") == 2
    assert depth_of("trunk.decoder.final_layer_norm.weight") == highest == 5


def test_t5s_embeddings_and_queries_move_in_proportion_to_the_sizes_they_begin_with() -> None:
    network = Network(tiny.t5(), "seq2seq")
    sizes = beginnings(network.trunk)
    begun = {name: float(parameter.detach().std()) for name, parameter in network.named_parameters()}
    keys = [name for name in begun if name.endswith("Attention.k.weight")]
    for end, size in sizes.items():
        alike = [name for name in begun if name.endswith(end)]
        assert len(alike) in (1, len(keys))
        assert {name: begun[name] / begun[keys[0]] for name in alike} == pytest.approx(dict.fromkeys(alike, size), rel=0.1)
    peaks = {id(p): group["peak"] for group in groups(network, tiny.settings(rate=1.0, by_size=True)) for p in group["params"]}
    for name, parameter in network.named_parameters():
        assert peaks[id(parameter)] == next((size for end, size in sizes.items() if name.endswith(end)), 1.0)
    assert {group["peak"] for group in groups(network, tiny.settings(rate=1.0))} == {1.0}
