"""The two topmost blocks of GPT-2-124M for five epochs: frozen blocks run once, against a trainer that runs them each time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from accordeur.plan import TrainingPlan
from accordeur.training import batches, boundary
from accordeur.training.device import plan_device
from accordeur.training.network import Network
from accordeur.training.settings import TrainingSettings
from accordeur.training.trainable import unfreeze_top
from benchmarks import _data, _gate
from benchmarks._worker import Work
from benchmarks.finetune import BATCH, RATE, trained

LAYERS, EPOCHS = 2, 5


def network() -> Network:
    made = Network(_data.gpt2(), "causal")
    unfreeze_top(made, LAYERS)
    return made


def ours(rows: int, dtype: str = "planned", kept: bool = True) -> Callable[[], Work]:
    """kept: whether what the frozen blocks give is computed once."""
    items, made = _data.encoded(_data.alpaca(rows)), network()
    device = plan_device("cpu", threads=torch.get_num_threads())
    device = device if dtype == "planned" else replace(device, dtype=dtype)
    settings = TrainingSettings(rate=RATE, batch_rows=BATCH, patience=None)
    each = batches.steps_per_epoch(len(items), BATCH)
    plan = TrainingPlan(
        steps=EPOCHS * each, batch_rows=BATCH, evaluate_every=EPOCHS * each, seconds_per_step=1.0, budget_seconds=1.0
    )

    def work() -> Work:
        done = trained(made, items, settings, plan, device, cached=kept)
        parts = [part for epoch in range(EPOCHS) for step in batches.steps(items, BATCH, 1024, 0, epoch) for part in step]
        lengths = [[len(items[row].tokens) for row in part] for part in parts]
        return Work(units=done.tokens, padding=_data.padding(lengths), losses=tuple(point["loss"] for point in done.curve))

    return work


def planned(rows: int, dtype: str = "planned") -> Callable[[], Work]:
    """Ours in the precision that the device plan chooses."""
    return ours(rows)


def plain(rows: int, dtype: str = "planned") -> Callable[[], Work]:
    """Ours with every block run in every epoch."""
    return ours(rows, dtype, kept=False)


def peer(rows: int, dtype: str = "planned") -> Callable[[], Work]:
    from transformers import Trainer, TrainingArguments

    model = _data.gpt2()
    model.requires_grad_(False)
    for part in (*model.transformer.h[-LAYERS:], model.transformer.ln_f):
        part.requires_grad_(True)
    pairs = _data.alpaca(rows)
    seen: list[list[int]] = []

    def collate(chosen: list[tuple[list[int], list[int]]]) -> dict[str, torch.Tensor]:
        width = max(len(prompt) + len(answer) for prompt, answer in chosen)
        seen.append([len(prompt) + len(answer) for prompt, answer in chosen])
        tokens, labels = torch.full((len(chosen), width), _data.END), torch.full((len(chosen), width), -100)
        for place, (prompt, answer) in enumerate(chosen):
            tokens[place, : len(prompt) + len(answer)] = torch.tensor(prompt + answer)
            labels[place, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
        mask = torch.arange(width)[None] < torch.tensor(seen[-1])[:, None]
        return {"input_ids": tokens, "attention_mask": mask.long(), "labels": labels}

    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=BATCH,
        num_train_epochs=EPOCHS,
        learning_rate=RATE,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
        remove_unused_columns=False,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=pairs, data_collator=collate)

    def work() -> Work:
        loss = trainer.train().training_loss
        return Work(units=sum(map(sum, seen)) - sum(map(len, seen)), padding=_data.padding(seen), losses=(loss,))

    return work


def gate(rows: int, dtype: str = "planned") -> dict[str, float]:
    """Over a boundary, against plain transformers in float32."""
    items, holder = _data.encoded(_data.alpaca(min(rows, BATCH))), network()
    twin = _gate.plain_gpt2(holder)
    device = replace(plan_device("cpu", threads=torch.get_num_threads()), dtype="float32")
    with tempfile.TemporaryDirectory() as folder:
        wanted = boundary.Wanted(items=items, device=device, pad=_data.END, folder=Path(folder), worthwhile=True)
        with boundary.prepared(holder, wanted) as below:
            assert below is not None
            return _gate.language_model(holder, twin, items, _data.END, below)


SIDES: dict[str, Any] = {"ours": ours, "planned": planned, "plain": plain, "peer": peer, "gate": gate}
