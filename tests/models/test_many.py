"""Several runs on one loaded base: the same answers as each alone, and no memory but for what moved."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from accordeur.adapted import reopen
from accordeur.base import default_encoder
from accordeur.errors import ModelError, RecipeError
from accordeur.models.many import Many, open_many
from accordeur.training.trainable import moved_tensors
from tests.bases import tiny
from tests.methods import cells

from .test_surgery import stirred

WAYS = {"lora-s0": "lora", "dora": "lora", "adapter-s0": "adapter", "bitfit-s0": "bitfit", "ia3-s0": "ia3", "freeze-s0": "freeze"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("many")
    return [save(root, name, stirred(way, "classify", "encoder", root / f"fit-{name}")) for name, way in WAYS.items()]


def save(root: Path, name: str, model: Any) -> Path:
    return cells.saved(model, root / name / "model").parent


@pytest.fixture(scope="module")
def many(folders: list[Path]) -> Many:
    return open_many(folders)


def test_each_answers_as_alone(many: Many, folders: list[Path]) -> None:
    for folder in folders:
        alone = reopen(folder / "model")
        assert cells.answers(many.models[folder.name], "classify") == cells.answers(alone, "classify")


def test_mixed_rows_are_answered_by_their_own(many: Many) -> None:
    rows = cells.task_of("classify").test
    names = [list(WAYS)[place % len(WAYS)] for place in range(len(rows))]
    mixed = many.predict(rows, names)
    distinct = set()
    for row, name, answer in zip(rows, names, mixed, strict=True):
        alone = many.models[name].predict([row])[0]
        assert answer.output == alone.output
        np.testing.assert_allclose(list(answer.scores.values()), list(alone.scores.values()), atol=1e-6)  # type: ignore[union-attr]
        distinct.add(tuple(np.round(list(answer.scores.values()), 6)))  # type: ignore[union-attr]
    assert len(distinct) == len(rows)


def test_memory_is_the_base_once_and_what_moved(many: Many) -> None:
    first = next(iter(many.models.values())).network
    shared = sum(p.numel() * p.element_size() for n, p in first.named_parameters() if not p.requires_grad)
    buffers = sum({b.untyped_storage().data_ptr(): b.untyped_storage().nbytes() for b in first.buffers()}.values())
    own = sum(t.numel() * t.element_size() for m in many.models.values() for t in moved_tensors(m.network).values())
    assert many.bytes() == shared + buffers + own


def test_eight_adapters_take_less_than_a_tenth_of_the_base(tmp_path: Path) -> None:
    model = stirred("lora", "classify", "encoder", tmp_path / "fit", rank=1)
    opened = open_many([save(tmp_path, f"run-{place}", model) for place in range(8)])
    alone = open_many([tmp_path / "run-0"])
    assert opened.bytes() <= 1.1 * alone.bytes()


def test_written_answers_too(tmp_path: Path) -> None:
    models = [stirred(way, "write", "decoder", tmp_path / f"fit-{way}") for way in ("lora", "adapter")]
    folders = [save(tmp_path, f"run-{place}", model) for place, model in enumerate(models)]
    opened = open_many(folders, device=cells.CPU)
    for place, model in enumerate(models):
        found = opened.models[f"run-{place}"]
        assert cells.answers(found, "write") == cells.answers(model, "write")
        rows = cells.task_of("write").test
        np.testing.assert_array_equal(found.log_probs(rows)[0].log_probs, model.log_probs(rows)[0].log_probs)


def test_runs_of_another_base_or_sort_are_refused(folders: list[Path], tmp_path: Path) -> None:
    other = save(tmp_path, "other", cells.fitted("lora", "classify", "decoder", tmp_path / "fit"))
    with pytest.raises(ModelError, match="adapted from base"):
        open_many([folders[0], other])
    head = save(tmp_path, "head", cells.fitted("head", "classify", "encoder", tmp_path / "fit-head"))
    with pytest.raises(ModelError, match="headed"):
        open_many([folders[0], head])


def test_names_must_be_known_and_unique(many: Many, folders: list[Path]) -> None:
    with pytest.raises(RecipeError, match="nobody"):
        many.predict(cells.task_of("classify").test[:1], ["nobody"])
    with pytest.raises(RecipeError, match="lora-s0"):
        open_many([folders[0], folders[0]])
    with pytest.raises(RecipeError):
        open_many([])


def test_the_shared_base_is_as_before(many: Many) -> None:
    fresh = tiny("encoder").load(language_head=False)[0].state_dict()
    network = many.models["lora-s0"].network
    found = {name.removeprefix("trunk.").replace(".base_layer", ""): value for name, value in network.state_dict().items()}
    assert all(np.array_equal(found[name], value) for name, value in fresh.items() if name in found)
    assert len([name for name in fresh if name in found]) > 30


@pytest.mark.parametrize(("name", "most"), [("lora", 0.02), ("adapter", 0.05)])
def test_eight_runs_with_default_settings_on_minilm(name: str, most: float, tmp_path: Path) -> None:
    """On a base of real size: few parameters each, and all eight within a tenth of the base."""
    base = default_encoder()
    (tmp_path / "fit").mkdir()
    model: Any = cells.built(name, tmp_path).fit(cells.task_of("classify"), base, cells.context(tmp_path / "fit"))
    moving = model.facts()["trainable_parameters"]
    assert 0.001 * base.parameters < moving < most * base.parameters
    folders = []
    for place in range(8):
        generator = torch.Generator().manual_seed(place)
        with torch.no_grad():
            for tensor in moved_tensors(model.network).values():
                tensor.copy_(0.05 * torch.randn(tensor.shape, generator=generator))
        folders.append(save(tmp_path, f"run-{place}", model))
    opened = open_many(folders)
    assert opened.bytes() <= 1.1 * 4 * base.parameters
    rows = cells.task_of("classify").test
    names = [folders[place % 8].name for place in range(len(rows))]
    mixed = opened.predict(rows, names)
    for row, folder_name, answer in zip(rows, names, mixed, strict=True):
        alone = reopen(tmp_path / folder_name / "model").predict([row])[0]
        assert answer.output == alone.output
        np.testing.assert_allclose(list(answer.scores.values()), list(alone.scores.values()), atol=1e-5)  # type: ignore[union-attr]


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes isn't installed")
@pytest.mark.parametrize("bits", ["nf4", "int8"])
@pytest.mark.parametrize(("kind", "family"), [("classify", "encoder"), ("write", "encoder-decoder")])
def test_a_quantised_base_is_in_memory_once_too(bits: str, kind: str, family: str, tmp_path: Path) -> None:
    models = [stirred("qlora", kind, family, tmp_path / f"fit-{rank}", rank=rank, bits=bits) for rank in (1, 2, 1, 1)]
    opened = open_many([save(tmp_path, f"run-{place}", model) for place, model in enumerate(models)], device=cells.CPU)
    for place, model in enumerate(models):
        assert cells.answers(opened.models[f"run-{place}"], kind) == cells.answers(model, kind)
    own = sum(t.numel() * t.element_size() for m in opened.models.values() for t in moved_tensors(m.network).values())
    alone = open_many([str(tmp_path / "run-0")], device=cells.CPU)
    first = sum(t.numel() * t.element_size() for t in moved_tensors(alone.models["run-0"].network).values())
    assert opened.bytes() - own == alone.bytes() - first
