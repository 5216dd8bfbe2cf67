"""Pretraining end to end at tiny size: saved folders, exact resume, losses equal to plain transformers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from accordeur.base import find_base
from accordeur.context import Context
from accordeur.errors import DataError, Interrupted, ModelError, RecipeError
from accordeur.example import IGNORED
from accordeur.foundations.corpus import sources
from accordeur.foundations.families import OBJECTIVES, new_pupil, rows_of
from accordeur.foundations.pretrain import PretrainRequest, prepare, pretrain
from accordeur.foundations.shapes import Family, Shape
from accordeur.foundations.tokenizers import TokenizerRequest, train_tokenizer
from accordeur.plan import DevicePlan, TrainingPlan
from accordeur.training import batches
from accordeur.training.loop import Lent, train
from accordeur.training.settings import TrainingSettings
from tests.foundations.words import lines, text

SIZES: dict[Family, int] = {"gpt": 300, "bert": 100, "t5": 400}
CASES: list[tuple[Family, str]] = [(family, objective) for family, objectives in OBJECTIVES.items() for objective in objectives]
SETTINGS = TrainingSettings(rate=3e-3, weight_decay=0.1, warmup=2, batch_rows=2, patience=None)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(text(120, number), "utf-8")
    return tmp_path


def request(files: Path, family: Family = "gpt", **other: Any) -> PretrainRequest:
    shape = Shape(layers=1, width=32, heads=2, context=32, vocabulary=SIZES[family])
    values: dict[str, Any] = {
        "texts": tuple(sources([files / "0.txt", files / "1.txt"])), "held_out": tuple(sources([files / "2.txt"])),
        "shape": shape, "family": family, "settings": SETTINGS, "steps": 6, "held_out_rows": 4,
    }  # fmt: skip
    return PretrainRequest(**{**values, **other})


def context(folder: Path, **other: Any) -> Context:
    return Context(seed=3, folder=folder, cache=folder, device=DevicePlan(device="cpu", micro_tokens=64), **other)


@pytest.mark.parametrize(("family", "objective"), CASES)
def test_every_family_ends_in_a_base_that_opens(files: Path, family: Family, objective: str) -> None:
    done = pretrain(request(files, family, objective=objective), files / "out", context(files / "work"))
    base = find_base(str(files / "out"))
    model, tokenizer = base.load()
    assert base.family == {"gpt": "decoder", "bert": "encoder", "t5": "encoder-decoder"}[family]
    assert model.get_input_embeddings().weight.shape[0] == len(tokenizer) == SIZES[family]
    assert done.training.steps == 6
    assert (done.bits_per_character is None) == (family != "gpt")
    assert done.loss < np.log(SIZES[family]) + 0.2  # no worse than guessing


def test_training_on_a_text_learns_it(files: Path) -> None:
    done = pretrain(request(files, steps=80), files / "out", context(files / "work"))
    first = next(point["score"] for point in done.training.curve if point["score"] is not None)
    assert done.bits_per_character is not None
    assert done.bits_per_character < -first - 0.5


@pytest.mark.parametrize(("family", "objective"), [("gpt", "causal"), ("bert", "masked-and-next"), ("t5", "spans")])
def test_a_stopped_run_goes_on_to_the_same_weights(files: Path, family: Family, objective: Any) -> None:
    asked = request(files, family, objective=objective)
    whole = pretrain(asked, files / "whole", context(files / "one"))
    stops = iter([False, False, True])
    with pytest.raises(Interrupted):
        pretrain(asked, files / "parts", context(files / "two", stop=lambda: next(stops, True)))
    parts = pretrain(asked, files / "parts", context(files / "two"))
    assert parts.loss == whole.loss
    left, right = (load_file(files / name / "model.safetensors") for name in ("whole", "parts"))
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_what_was_prepared_is_taken_and_what_was_changed_is_made_anew(files: Path) -> None:
    said: list[str] = []
    lent = context(files / "work", on_note=lambda **values: said.append(values.get("text", "")))
    prepare(request(files), lent)
    assert len(said) == 3
    prepare(request(files), lent)
    assert len(said) == 3
    (files / "2.txt").write_text(text(60, 9), "utf-8")
    prepare(request(files), lent)
    assert said[3:] == ["held_out: tokenizing 1 files"]


def plain_loss(model: Any, items: list[Any]) -> Any:
    """The same rows by the library's own loss, all in one batch of equally long rows."""
    tokens, target = (torch.tensor(np.stack(part)).long() for part in zip(*((i.tokens, i.target) for i in items), strict=True))
    kind = model.config.model_type
    if kind == "gpt2":
        return torch.nn.functional.cross_entropy(model(input_ids=tokens).logits.flatten(0, 1), target.flatten())
    if kind == "t5":
        return model(input_ids=tokens, labels=target).loss
    segments = torch.tensor(np.stack([item.segments for item in items])).long()
    if type(model).__name__ == "BertForPreTraining":
        labels, follows = target.clone(), target[:, 0].clone()
        labels[:, 0] = IGNORED
        return model(input_ids=tokens, token_type_ids=segments, labels=labels, next_sentence_label=follows).loss
    return model(input_ids=tokens, token_type_ids=segments, labels=target).loss


@pytest.mark.parametrize("micro_tokens", [1024, 64], ids=["whole", "in passes"])
@pytest.mark.parametrize(("family", "objective"), CASES)
def test_the_loss_curve_is_that_of_a_plain_transformers_loop(
    files: Path, family: Family, objective: Any, micro_tokens: int
) -> None:
    asked = request(files, family)
    prepared = prepare(asked, context(files / "work"))
    settings = dataclasses.replace(SETTINGS, batch_rows=4)
    pupil, twin = (new_pupil(family, objective, asked.shape, prepared.tokenizer, 0) for _ in range(2))
    rows = rows_of(pupil, prepared.train, asked.shape, prepared.tokenizer, 0)
    plan = TrainingPlan(steps=8, batch_rows=4, evaluate_every=1, seconds_per_step=0, budget_seconds=0)
    device = DevicePlan(device="cpu", micro_tokens=micro_tokens)
    lent = Lent(
        device=device, pad=0, seed=0, folder=files / "state", validate=lambda: 0.0, note=lambda **values: None,
        stop=lambda: False,
    )  # fmt: skip
    curve = [point["loss"] for point in train(pupil.network, rows, settings, plan, lent).curve]
    decayed = [p for p in twin.trunk.parameters() if p.ndim >= 2]
    others = [p for p in twin.trunk.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=3e-3)
    expected = []
    for number, parts in zip(range(1, 9), batches.steps(rows, 4, 2048, 0, 0), strict=False):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * (number / 2 if number <= 2 else 1 - (number - 3) / 6)
        loss = plain_loss(twin.trunk.train(), [rows[row] for part in parts for row in part])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(twin.trunk.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        expected.append(loss.item())
    assert curve == pytest.approx(expected, abs=1e-5)


def test_a_file_on_both_sides_is_refused(files: Path) -> None:
    with pytest.raises(RecipeError, match="both trained on and held out"):
        pretrain(request(files, held_out=tuple(sources([files / "0.txt"]))), files / "out", context(files / "work"))


def test_an_empty_corpus_is_refused(files: Path) -> None:
    (files / "0.txt").write_text("")
    (files / "1.txt").write_text("\n")
    with pytest.raises(DataError, match="empty"):
        pretrain(request(files), files / "out", context(files / "work"))


def test_a_vocabulary_larger_than_the_text_allows_is_refused(files: Path) -> None:
    shape = Shape(layers=1, width=32, heads=2, context=32, vocabulary=50_000)
    with pytest.raises(RecipeError, match="allows only"):
        pretrain(request(files, shape=shape), files / "out", context(files / "work"))


def test_a_tokenizer_that_does_not_fit_is_refused(files: Path) -> None:
    train_tokenizer(lines(200), TokenizerRequest(size=320)).save_pretrained(files / "other")
    with pytest.raises(ModelError, match="320 entries, the model is to have 300"):
        pretrain(request(files, tokenizer=files / "other"), files / "out", context(files / "work"))
    train_tokenizer(lines(200), TokenizerRequest(size=280)).save_pretrained(files / "gpt")
    with pytest.raises(RecipeError, match="no \\[MASK\\]"):
        pretrain(
            request(files, "bert", tokenizer=files / "gpt", shape=request(files).shape), files / "out", context(files / "work")
        )


def test_an_objective_of_another_family_is_refused(files: Path) -> None:
    with pytest.raises(RecipeError, match="doesn't fit family gpt"):
        pretrain(request(files, objective="masked"), files / "out", context(files / "work"))


def test_next_sentence_needs_two_documents(files: Path) -> None:
    alone = tuple(sources([files / "0.txt"]))
    with pytest.raises(RecipeError, match="at least two documents"):
        pretrain(request(files, "bert", objective="masked-and-next", texts=alone), files / "out", context(files / "work"))
