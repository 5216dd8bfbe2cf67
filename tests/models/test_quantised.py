"""A LoRA on a quantised base, where bitsandbytes is installed; a clear word where it isn't."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from accordeur.adapted import reopen
from accordeur.errors import NotApplicable
from accordeur.example import Encoded
from accordeur.training.batches import collate
from accordeur.training.network import Network, last_hidden
from accordeur.training.trainable import moved_tensors
from tests.bases import tiny
from tests.methods import cells

installed = importlib.util.find_spec("bitsandbytes") is not None
needs_it = pytest.mark.skipif(not installed, reason="bitsandbytes isn't installed")


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "bitsandbytes" else find(name, *rest))
    with pytest.raises(NotApplicable, match=r"accordeur\[quant\]"):
        cells.fitted("qlora", "classify", "encoder", tmp_path)


@needs_it
@pytest.mark.parametrize("bits", ["nf4", "int8"])
@pytest.mark.parametrize(("kind", "family"), [("classify", "encoder"), ("write", "decoder"), ("write", "encoder-decoder")])
def test_trains_saves_and_reopens(bits: str, kind: str, family: str, tmp_path: Path) -> None:
    model = cells.fitted("qlora", kind, family, tmp_path, bits=bits)
    names = moved_tensors(model.network)  # type: ignore[attr-defined]
    assert all("lora_" in name or name.startswith("head.") for name in names)
    saved = cells.saved(model, tmp_path / "saved")
    assert cells.answers(reopen(saved), kind) == cells.answers(model, kind)


@needs_it
@pytest.mark.parametrize(("bits", "far"), [("nf4", 0.2), ("int8", 0.02)])
@pytest.mark.parametrize("family", ["encoder", "decoder"])
def test_a_quantised_trunk_is_near_the_plain_one_and_smaller(bits: str, far: float, family: str) -> None:
    from accordeur.training.quantised import quantise

    trunk, _ = tiny(family).load(language_head=False)
    plain, _ = tiny(family).load(language_head=False)
    network = Network(trunk, "label", outputs=2)
    assert quantise(network, bits) == {"encoder": 12, "decoder": 8}[family]  # type: ignore[arg-type]
    batch = collate([Encoded(tokens=np.arange(5, 25, dtype=np.int32))], 0)
    with torch.no_grad():
        found, expected = (last_hidden(one, network.inputs(batch)) for one in (trunk, plain))
    error = float((found - expected).norm() / expected.norm())
    assert 0 < error < far
