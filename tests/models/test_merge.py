"""A run as a plain transformers folder: the same answers, or nothing at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from accordeur.adapted import reopen
from accordeur.base import find_base
from accordeur.errors import DataError, ModelError, RecipeError
from accordeur.models import merge as module
from accordeur.models.merge import merge
from accordeur.training.batches import collate
from accordeur.training.network import last_hidden
from tests.bases import tiny
from tests.methods import cells

from .test_surgery import stirred

CELLS = [
    ("lora", {}, "classify", "encoder"),
    ("lora", {"dora": True}, "classify", "encoder"),
    ("ia3", {}, "classify", "encoder"),
    ("bitfit", {}, "classify", "encoder"),
    ("lora", {"targets": "all-linear"}, "write", "decoder"),
    ("lora", {}, "write", "encoder-decoder"),
    ("lora", {}, "text", "decoder"),
]


@pytest.mark.parametrize(("method", "settings", "kind", "family"), CELLS)
def test_answers_as_before(method: str, settings: dict[str, Any], kind: str, family: str, tmp_path: Path) -> None:
    model = stirred(method, kind, family, tmp_path, **settings)
    run = cells.saved(model, tmp_path / "run")
    rows, out = cells.task_of(kind).test, tmp_path / "merged"
    merged = merge(run, out, rows)
    assert (merged.folder, merged.rows) == (out, len(rows))
    assert 0 <= merged.largest_difference < 1e-3
    if kind != "text":
        assert cells.answers(reopen(out), kind) == cells.answers(model, kind)
    trunk = find_base(str(out)).load(language_head=kind != "classify")[0]
    inputs = model.network.inputs(collate(model.items(rows), model.codec.pad))
    with torch.no_grad():
        expected = last_hidden(model.network.eval().trunk, inputs)
        torch.testing.assert_close(last_hidden(trunk, inputs), expected, rtol=1e-4, atol=1e-5)
    assert not any("lora" in name or "base_layer" in name or "ia3" in name for name in load_file(out / "model.safetensors"))


@pytest.mark.parametrize(("kind", "family"), [("classify", "encoder"), ("write", "decoder")])
def test_a_base_that_makes_much_of_little_is_merged_by_what_one_rounding_does(
    kind: str, family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cells.saved(stirred("lora", kind, family, tmp_path), tmp_path / "run")
    monkeypatch.setattr(module, "TOLERANCE", -1.0)  # so that nothing is near enough by itself
    assert merge(run, tmp_path / "merged", cells.task_of(kind).test).largest_difference < 1e-4
    monkeypatch.setattr(module, "nudge", lambda trunk: None)
    with pytest.raises(ModelError, match="0 of"):
        merge(run, tmp_path / "other", cells.task_of(kind).test)


@pytest.mark.parametrize("strict", [module.TOLERANCE, -1.0])
@pytest.mark.parametrize(("kind", "family"), [("classify", "encoder"), ("write", "decoder")])
def test_one_corrupted_matrix_fails_and_leaves_nothing(
    kind: str, family: str, strict: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOLERANCE", strict)
    run = cells.saved(stirred("lora", kind, family, tmp_path), tmp_path / "run")
    write = module.write_merged

    def corrupt(model: Any, folder: Path) -> None:
        write(model, folder)
        tensors = load_file(folder / "model.safetensors")
        name = next(name for name, tensor in tensors.items() if tensor.ndim == 2 and ("attn.c_attn" in name or "value" in name))
        noise = 0.02 * torch.randn(tensors[name].shape, generator=torch.Generator().manual_seed(0))
        save_file({**tensors, name: tensors[name] + noise}, folder / "model.safetensors", metadata={"format": "pt"})

    monkeypatch.setattr(module, "write_merged", corrupt)
    with pytest.raises(ModelError, match="does not answer as before"):
        merge(run, tmp_path / "merged", cells.task_of(kind).test)
    assert not (tmp_path / "merged").exists()
    assert not [path for path in tmp_path.iterdir() if "merged" in path.name]


def test_what_cannot_be_merged_is_refused(tmp_path: Path) -> None:
    rows = cells.task_of("classify").test
    adapter = cells.saved(cells.fitted("adapter", "classify", "encoder", tmp_path / "a"), tmp_path / "adapter")
    with pytest.raises(ModelError, match="bottleneck"):
        merge(adapter, tmp_path / "out", rows)
    head = cells.saved(cells.fitted("head", "classify", "encoder", tmp_path / "h"), tmp_path / "head")
    with pytest.raises(ModelError, match="nothing to merge"):
        merge(head, tmp_path / "out", rows)
    lora = cells.saved(cells.fitted("lora", "classify", "encoder", tmp_path / "l"), tmp_path / "lora")
    with pytest.raises(DataError):
        merge(lora, tmp_path / "out", [])
    with pytest.raises(RecipeError, match="not empty"):
        merge(lora, tmp_path, rows)
    assert not (tmp_path / "out").exists()


def test_the_base_itself_is_untouched(tmp_path: Path) -> None:
    before = cells.weights_digest(tiny("encoder"))
    run = cells.saved(stirred("lora", "classify", "encoder", tmp_path), tmp_path / "run")
    merge(run, tmp_path / "merged", cells.task_of("classify").test)
    assert cells.weights_digest(tiny("encoder")) == before


def test_what_was_trained_on_a_grown_base_is_merged_with_it(tmp_path: Path) -> None:
    model = cells.fitted("domain+lora", "classify", "encoder", tmp_path / "fit")
    run, rows = cells.saved(model, tmp_path / "run"), cells.task_of("classify").test
    merge(run, tmp_path / "merged", rows)
    assert cells.answers(reopen(tmp_path / "merged"), "classify") == cells.answers(model, "classify")


def test_a_merged_weight_that_is_no_number_is_seen_where_no_answers_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cells.saved(stirred("lora", "text", "decoder", tmp_path), tmp_path / "run")
    plain = module.logits
    monkeypatch.setattr(
        module, "logits", lambda model, item: plain(model, item) * (1.0 if model.surgery.name == "lora" else float("nan"))
    )
    with pytest.raises(ModelError, match="does not answer as before"):
        merge(run, tmp_path / "merged", cells.task_of("text").test)


def test_at_most_32_rows_are_replayed(tmp_path: Path) -> None:
    run = cells.saved(stirred("lora", "classify", "encoder", tmp_path), tmp_path / "run")
    assert merge(run, tmp_path / "merged", [*cells.task_of("classify").train, *cells.task_of("classify").test] * 2).rows == 32
