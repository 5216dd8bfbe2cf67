"""Activations of frozen blocks: the same training as without them, found again, and used only where that holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from accordeur.errors import Interrupted
from accordeur.plan import DevicePlan
from accordeur.training import boundary
from accordeur.training.boundary import Wanted, first_moving, prepared
from accordeur.training.inserted import low_rank
from accordeur.training.loop import train
from accordeur.training.network import Network
from accordeur.training.trainable import moved_tensors, unfreeze_top

from . import tiny

FAMILIES = [(tiny.gpt2, "causal"), (tiny.llama, "causal"), (tiny.bert, "label"), (tiny.gpt2, "label")]


def top(make: Any, form: Any, how: str = "top") -> Network:
    network = Network(make(), form, outputs=3, dropout=0.0)
    if how == "top":
        unfreeze_top(network, 1)
    else:
        low_rank(network, rank=4, alpha=8, layers=1)
    return network


def rows(form: str) -> Any:
    return tiny.label_rows(10) if form == "label" else tiny.causal_rows(10)


def wanted(items: Any, folder: Path | None, device: DevicePlan = tiny.CPU) -> Wanted:
    return Wanted(items=items, device=device, pad=tiny.PAD, folder=folder, worthwhile=True)


@pytest.mark.parametrize("how", ["top", "lora"])
@pytest.mark.parametrize(("make", "form"), FAMILIES)
def test_training_over_a_boundary_is_the_plain_training(make: Any, form: str, how: str, tmp_path: Path) -> None:
    moved = {}
    chosen = tiny.settings(optimizer="sgd", rate=1e-3)  # Adam would divide what is nothing but rounding by its own size
    for name, cache in (("plain", None), ("short", tmp_path / "cache")):
        network = top(make, form, how)
        train(network, rows(form), chosen, tiny.plan(8, evaluate_every=8), tiny.lent(tmp_path / name, cache=cache))
        moved[name] = moved_tensors(network)
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1
    for name, value in moved["plain"].items():
        torch.testing.assert_close(moved["short"][name], value, rtol=1e-4, atol=1e-5)


def test_the_loss_and_its_gradient_are_the_plain_ones_and_lower_blocks_do_not_run(tmp_path: Path) -> None:
    network, items = top(tiny.gpt2, "causal"), tiny.causal_rows(6)
    batch = boundary.collated(list(range(6)), wanted(items, None))

    def gradient() -> torch.Tensor:
        network.zero_grad()
        network.train().loss(batch)[0].backward()
        return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])

    plain = gradient()
    with prepared(network, wanted(items, tmp_path)) as found:
        assert found is not None
        lower = found.skipped[0].mlp.c_fc
        lower.register_forward_hook(lambda *_: pytest.fail("a skipped block has run"))
        with found.reading(list(range(6)), batch):
            short = gradient()
    torch.testing.assert_close(short, plain, rtol=1e-4, atol=1e-5)
    assert network.trunk.transformer.h[0].forward.__name__ == "forward"


def test_a_run_killed_half_way_reads_what_it_read_before_and_ends_bit_identical(tmp_path: Path) -> None:
    items, plan, cache = tiny.causal_rows(10), tiny.plan(8, evaluate_every=4), tmp_path / "cache"
    whole = top(tiny.gpt2, "causal")
    train(whole, items, tiny.settings(), plan, tiny.lent(tmp_path / "whole", cache=cache))
    steps: list[int] = []

    def note(**values: Any) -> None:
        steps.append(values["step"])

    with pytest.raises(Interrupted):
        lent = tiny.lent(tmp_path / "again", cache=cache, note=note, stop=lambda: steps[-1:] == [5])
        train(top(tiny.gpt2, "causal"), items, tiny.settings(), plan, lent)
    for table in cache.glob("*.npy"):
        table.unlink()
    again = top(tiny.gpt2, "causal")
    train(again, items, tiny.settings(), plan, tiny.lent(tmp_path / "again", cache=cache))
    for name, value in moved_tensors(whole).items():
        assert torch.equal(moved_tensors(again)[name], value)


def test_a_table_is_found_again_by_the_same_weights_rows_and_block_only(tmp_path: Path) -> None:
    items, network = tiny.causal_rows(6), top(tiny.gpt2, "causal")

    def files() -> int:
        return len(list(tmp_path.glob("*.npy")))

    for _ in range(2):
        with prepared(network, wanted(items, tmp_path)) as found:
            assert found is not None and files() == 1
    with prepared(network, wanted(items[:5], tmp_path)):
        assert files() == 2
    with torch.no_grad():
        network.trunk.transformer.h[0].mlp.c_fc.weight[0, 0] += 1
    with prepared(network, wanted(items, tmp_path)):
        assert files() == 3
    with torch.no_grad():
        network.trunk.transformer.h[1].mlp.c_fc.weight[0, 0] += 1  # above: the table doesn't depend on it
    with prepared(network, wanted(items, tmp_path)):
        assert files() == 3


def test_where_something_below_moves_or_is_random_nothing_is_kept(tmp_path: Path) -> None:
    whole = Network(tiny.gpt2(), "causal")
    kept = Network(tiny.gpt2(dropout=0.1), "causal")
    unfreeze_top(kept, 1, trunk_dropout="keep")
    off = Network(tiny.gpt2(dropout=0.1), "causal")
    unfreeze_top(off, 1)
    both = Network(tiny.t5(), "seq2seq")
    unfreeze_top(both, 1)
    embedded = top(tiny.gpt2, "causal")
    embedded.trunk.transformer.wpe.weight.requires_grad_(True)
    assert [first_moving(network) for network in (whole, kept, off, both, embedded)] == [0, 0, 1, 0, 0]
    with prepared(kept, wanted(tiny.causal_rows(3), tmp_path)) as found:
        assert found is None
    with prepared(off, Wanted(items=tiny.causal_rows(3), device=tiny.CPU, pad=0, folder=tmp_path, worthwhile=False)) as found:
        assert found is None and not list(tmp_path.glob("*"))


def test_a_trunk_that_hands_on_something_else_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = top(tiny.gpt2, "causal")
    monkeypatch.setattr(boundary, "inputs_of", lambda *args: real(*args) + np.linspace(-1, 1, tiny.WIDTH, dtype=np.float32))
    with prepared(network, wanted(tiny.causal_rows(6), tmp_path)) as found:
        assert found is None


real = boundary.inputs_of
