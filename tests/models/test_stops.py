"""Padding and end of text are decided once per family: whoever has learned eight answers by heart also ends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from accordeur.base import Base, find_base
from accordeur.context import Context
from accordeur.method import build_method
from accordeur.models._writing import positions, write_texts
from accordeur.plan import DevicePlan, Sampling, TrainingPlan
from accordeur.store import write_json
from accordeur.task import Task
from accordeur.training.generate import generate
from tests.bases import MODELS, config_of
from tests.models.test_families import build
from tests.tasks.conftest import FAMILIES, example

ANSWERS = ["Paris", "Lille", "London in 1890", "a fox", "Ada", "Paul jumps", "dogs", "the lazy fox"]
ROWS = tuple(
    example({"instruction": f"question {place}", "input": ""}, answer, str(place)) for place, answer in enumerate(ANSWERS)
)
STEPS = 220


def decoder(folder: Path, padding: str) -> Base:
    """GPT-2 with a pad token of its own, with its end token as pad token, or without any."""
    tokenizer: Any = FAMILIES["decoder"]()
    if padding == "end":
        tokenizer.pad_token = tokenizer.eos_token
    if padding == "own":
        tokenizer.add_special_tokens({"pad_token": "<pad>"})
    torch.manual_seed(0)
    MODELS["decoder"](config_of("decoder", tokenizer, 2, 64)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return find_base(str(folder))


@pytest.mark.parametrize("case", ["none", "end", "own", "llama", "t5", "bart"])
def test_eight_rows_learned_by_heart_stop_by_themselves(case: str, tmp_path: Path) -> None:
    base = decoder(tmp_path / "base", case) if case in ("none", "end", "own") else build(case, tmp_path / "base")
    task = Task(name="t", kind="write", train=ROWS, validation=ROWS[:2], test=ROWS, metrics=("nll",), max_length=96)
    plan = TrainingPlan(steps=STEPS, batch_rows=8, evaluate_every=STEPS, seconds_per_step=0.01, budget_seconds=1.0)
    write_json(tmp_path / "work" / "plan.json", {"training": plan.plain()})
    context = Context(seed=0, folder=tmp_path / "work", cache=tmp_path / "cache", device=DevicePlan(threads=1))
    model: Any = build_method("full", {"rate": 3e-3, "batch_rows": 8}).fit(task, base, context)
    trunk, codec = model.network.trunk, model.codec
    sampling = Sampling(max_new_tokens=40, stop_ids=(codec.end,))
    ids = generate(trunk, [prompt.tokens for prompt in model.prompts(ROWS)], sampling, model.device, codec.pad)
    assert sum(len(answer) < 40 for answer in ids) == 8  # of 8
    texts = write_texts(trunk, model.prompts(ROWS), codec, model.device, 40)
    assert set(texts) <= set(ANSWERS)  # every answer ends where a known one does
    assert case in ("t5", "bart") or texts == ANSWERS  # two small encoder-decoders still mix some of them up
    assert positions(trunk) is None or positions(trunk) >= 96
