"""A shipped base: half the bytes, nearly the same answers, a card with its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from accordeur.base import find_base
from accordeur.errors import ModelError
from accordeur.foundations import release as module
from accordeur.foundations.command import PretrainArguments, run_pretrain
from accordeur.foundations.release import release
from tests.foundations.words import recipe_folder

RECIPE = """
about: Made-up sentences.
limits: Knows nothing.
layers: 1
width: 32
heads: 2
context: 32
vocabulary: 300
steps: 3
texts: [{files: "${TEXTS}/[01].txt"}]
held_out: [{files: "${TEXTS}/2.txt"}]
"""


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    run_pretrain(PretrainArguments(texts=(recipe_folder(tmp_path, monkeypatch, RECIPE),), out=tmp_path / "base"))
    return tmp_path / "base"


def test_a_released_base_is_half_as_large_and_answers_nearly_the_same(base: Path) -> None:
    out = release(base, base.parent / "recipe.yaml", base.parent / "out")
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (base, out)]
    assert sizes[1] < 0.55 * sizes[0]
    models = [find_base(str(folder)).load()[0] for folder in (base, out)]
    tokens = torch.tensor([[5, 9, 40, 77]])
    left, right = (model(tokens).logits for model in models)
    assert right.dtype == torch.float32
    assert torch.allclose(left, right, atol=0.02)


def test_the_card_has_the_numbers_of_the_record(base: Path) -> None:
    card = (release(base, base.parent / "recipe.yaml", base.parent / "out") / "README.md").read_text("utf-8")
    for part in (
        "# out",
        "1 layers, width 32",
        "steps | 3",
        "Made-up sentences.",
        "Knows nothing.",
        "bits per character",
        "Apache-2.0",
    ):
        assert part in card
    assert str(base.parent) not in card


def test_other_folders_and_large_ones_are_refused(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(ModelError, match=r"no pretraining\.json"):
        release(tmp_path / "plain", base.parent / "recipe.yaml", tmp_path / "out")
    monkeypatch.setattr(module, "LARGEST", 1000)
    with pytest.raises(ModelError, match="at most"):
        release(base, base.parent / "recipe.yaml", tmp_path / "out")
    assert not (tmp_path / "out").exists()
