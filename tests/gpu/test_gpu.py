"""On a card: the same steps as on a processor, packed or not, in every precision; every method's run reopens as it was."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers.utils import is_flash_attn_2_available

from accordeur.adapted import reopen
from accordeur.errors import Interrupted, NotApplicable
from accordeur.foundations.command import PretrainArguments, run_pretrain
from accordeur.method import method_names
from accordeur.training import packing
from accordeur.training.device import plan_device
from accordeur.training.loop import Training, train
from accordeur.training.network import Network
from accordeur.training.scoring import log_probs
from accordeur.training.trainable import moved_tensors
from tests.foundations.words import text
from tests.methods import cells
from tests.training import tiny

pytestmark = pytest.mark.skipif(
    not (os.environ.get("ACCORDEUR_TEST_GPU") and torch.cuda.is_available()), reason="ACCORDEUR_TEST_GPU isn't set, or no card"
)

FORMS = {"gpt2": (tiny.gpt2, "causal"), "llama": (tiny.llama, "causal"), "t5": (tiny.t5, "seq2seq"), "bert": (tiny.bert, "label")}
OPTIMIZERS = ["adamw", "adam", "sgd", "rmsprop", "adafactor", "muon"]


def network(name: str) -> Any:
    make, form = FORMS[name]
    return Network(make(), form, dropout=0.0, **({"outputs": 3} if form == "label" else {}))


def rows(name: str, count: int = 24) -> Any:
    return tiny.label_rows(count) if name == "bert" else tiny.causal_rows(count)


def card(**other: Any) -> Any:
    return replace(plan_device("cuda"), **{"packed": False, **other})


def trained(name: str, device: Any, folder: Path, optimizer: str = "adamw", **lent: Any) -> tuple[Training, Any]:
    model = network(name)
    rate = 1e-4 if optimizer == "rmsprop" else 1e-3
    chosen = tiny.settings(optimizer=optimizer, rate=rate)
    done = train(model, rows(name), chosen, tiny.plan(8, evaluate_every=1), tiny.lent(folder, device=device, **lent))
    return done, model.cpu()


def losses(done: Training) -> list[float]:
    return [point["loss"] for point in done.curve]


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("bfloat16", 2e-2), ("float16", 1e-2)])
def test_the_steps_of_a_processor(name: str, dtype: str, tolerance: float, tmp_path: Path) -> None:
    expected, _ = trained(name, tiny.CPU, tmp_path / "cpu")
    found, _ = trained(name, card(dtype=dtype, scoring_dtype="float32"), tmp_path / "card")
    assert losses(found) == pytest.approx(losses(expected), rel=tolerance)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_moves_weights_alike(optimizer: str, tmp_path: Path) -> None:
    expected, one = trained("gpt2", tiny.CPU, tmp_path / "cpu", optimizer)
    found, other = trained("gpt2", card(dtype="float32", scoring_dtype="float32"), tmp_path / "card", optimizer)
    assert losses(found) == pytest.approx(losses(expected), rel=1e-3)
    if optimizer != "adafactor":  # which divides gradients that are next to nothing by their own size
        for name, value in moved_tensors(one).items():
            torch.testing.assert_close(moved_tensors(other)[name], value, rtol=1e-2, atol=2e-3)


@pytest.mark.parametrize("name", FORMS)
def test_a_stopped_training_goes_on_as_if_it_had_not_been(name: str, tmp_path: Path) -> None:
    whole, expected = trained(name, card(), tmp_path / "whole")
    steps = iter(range(1, 99))
    with pytest.raises(Interrupted):
        trained(name, card(), tmp_path / "parts", stop=lambda: next(steps) >= 3)
    parts, found = trained(name, card(), tmp_path / "parts")
    assert losses(parts) == pytest.approx(losses(whole), rel=1e-4)
    for key, value in moved_tensors(expected).items():
        torch.testing.assert_close(moved_tensors(found)[key], value, rtol=1e-3, atol=1e-4)


@pytest.mark.skipif(not is_flash_attn_2_available(), reason="flash-attn isn't installed")
@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_packed_rows_have_the_loss_of_padded_ones(name: str, tmp_path: Path) -> None:
    items, device = rows(name, 24), card(packed=True)
    model = network(name).cuda()
    with packing.packing(model, items, device) as packs:
        assert packs
        assert model.trunk.config._attn_implementation in packing.KERNELS
    padded, _ = trained(name, card(), tmp_path / "padded")
    packed, _ = trained(name, device, tmp_path / "packed")
    assert losses(packed) == pytest.approx(losses(padded), rel=2e-2)
    assert packed.tokens == padded.tokens


@pytest.mark.parametrize("name", FORMS)
def test_scores_are_those_of_a_processor(name: str) -> None:
    model, items = network(name), rows(name)
    expected = log_probs(model, items, tiny.CPU, tiny.PAD)
    for dtype, tolerance in (("float32", 1e-4), ("bfloat16", 5e-2)):
        found = log_probs(model, items, card(scoring_dtype=dtype), tiny.PAD)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", cells.KINDS)
@pytest.mark.parametrize("name", method_names())
def test_every_method_reopens_as_it_was(name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "CPU", plan_device("cuda"))
    reasons = []
    for family in cells.FAMILIES:
        try:
            model = cells.fitted(name, kind, family, tmp_path / family)
        except NotApplicable as reason:
            reasons.append(reason.reason)
            continue
        again = reopen(cells.saved(model, tmp_path / "saved"))
        assert cells.answers(again, kind) == cells.answers(model, kind)
        return
    assert all(len(reason) > 10 for reason in reasons)


@pytest.mark.parametrize("family", ["gpt", "bert", "t5"])
def test_a_base_is_pretrained(family: str, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(text(200, number), "utf-8")
    shape = {"layers": 2, "width": 32, "heads": 2, "context": 32}
    texts = tuple(tmp_path / f"{number}.txt" for number in range(3))
    done = run_pretrain(PretrainArguments(texts=texts, out=tmp_path / "base", family=family, size="tiny", shape=shape, steps=60))
    curve = [point["loss"] for point in done.training.curve]
    assert curve[-1] < 0.9 * curve[0]
    assert np.isfinite(done.loss)
