"""A shipped base: half the bytes, nearly the same answers, a card with its numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from accordeur.base import find_base
from accordeur.errors import ModelError
from accordeur.foundations import release as module
from accordeur.foundations.command import PretrainArguments, run_pretrain
from accordeur.foundations.default import ASSETS, GENERAL
from accordeur.foundations.objectives import corrupt
from accordeur.foundations.release import release
from accordeur.foundations.rows import corruption_of
from accordeur.store import verify
from tests.foundations.words import SMALL, recipe_folder

RECIPE = (
    SMALL
    + """
about: Made-up sentences.
limits: Knows nothing.
texts: [{files: "${TEXTS}/[01].txt"}]
"""
)
ROW = 128  # tokens


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
        "made on | ",
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


def test_all_of_a_t5_is_halved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library alone keeps a part of it in float32."""
    recipe = recipe_folder(tmp_path, monkeypatch, RECIPE.replace("vocabulary: 300", "vocabulary: 400\nfamily: t5"))
    run_pretrain(PretrainArguments(texts=(recipe,), out=tmp_path / "base"))
    out = release(tmp_path / "base", recipe, tmp_path / "out")
    assert {tensor.dtype for tensor in load_file(out / "model.safetensors").values()} == {torch.float16}


@pytest.mark.parametrize("name", ["accordeur-mini", "accordeur-mini-t5"])
def test_what_ships_is_whole_small_and_has_a_card(name: str) -> None:
    folder = ASSETS / name
    assert "model.safetensors" in verify(folder)["files"]
    assert (folder / "model.safetensors").stat().st_size <= module.LARGEST == 12_000_000
    assert {tensor.dtype for tensor in load_file(folder / "model.safetensors").values()} == {torch.float16}
    card = (folder / "README.md").read_text("utf-8")
    assert all(part in card for part in ("## Data", "## Limits", "steps | ", "held out | ", "made on | ", "Apache-2.0"))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_decoder_that_ships_knows_both_languages(language: str) -> None:
    """Bits per character on prose that it has not read; letters drawn by their frequency take about four."""
    model, tokenizer = find_base("accordeur-mini").load()
    prose = (GENERAL / f"{language}.txt").read_text("utf-8")[:1500]
    ids = tokenizer(prose, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        nats = float(model(ids, labels=ids).loss) * (ids.shape[1] - 1)
    assert nats / math.log(2) / len(prose) < 1.9


def test_the_encoder_decoder_that_ships_uses_what_it_reads() -> None:
    """Lost spans are likelier behind the text that they were taken from than behind another one."""
    model, tokenizer = find_base("accordeur-mini-t5").load()
    prose = "".join((GENERAL / f"{language}.txt").read_text("utf-8")[:12_000] for language in ("en", "fr"))
    ids = np.asarray(tokenizer(prose, add_special_tokens=False)["input_ids"], np.int32)
    corruption, draw = corruption_of(tokenizer, ROW), np.random.default_rng(0)
    rows = [corrupt(ids[start : start + ROW], corruption, draw) for start in range(0, len(ids) - ROW + 1, ROW)]
    read, lost = (torch.tensor(np.stack(part)).long() for part in ([row.tokens for row in rows], [row.target for row in rows]))
    with torch.no_grad():
        own, other = (float(model(input_ids=text, labels=lost).loss) for text in (read, read.roll(1, 0)))
    assert other - own > 0.3
