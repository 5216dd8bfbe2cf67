"""GPT-2-124M on Alpaca, LoRA or all weights: the training loop against TRL's SFTTrainer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch

from accordeur.plan import DevicePlan, TrainingPlan
from accordeur.training import batches
from accordeur.training.device import plan_device
from accordeur.training.loop import Lent, Training, train
from accordeur.training.network import Network
from accordeur.training.settings import TrainingSettings
from accordeur.training.trainable import lora
from benchmarks import _data, _gate
from benchmarks._worker import Work

BATCH = 8
RATE = 2e-4


PRODUCT = 12 * 12 * 768**2 * 2  # FLOPs of all blocks' products for one token, forward
VOCABULARY = 50257 * 768 * 2  # of the vocabulary's, for one position


def network(how: str, dropout: float = 0.1, trunk_dropout: Literal["off", "keep"] = "off") -> Network:
    made = Network(_data.gpt2(), "causal")
    if how == "lora":
        lora(made, rank=8, alpha=32, dropout=dropout, trunk_dropout=trunk_dropout)
    return made


def ours(
    rows: int, how: str, peer: str, dtype: str = "planned", trunk_dropout: Literal["off", "keep"] = "off"
) -> Callable[[], Work]:
    """dtype: of training, or what the device plan chooses."""
    items = _data.encoded(_data.alpaca(rows))
    made = network(how, trunk_dropout=trunk_dropout)
    device = plan_device("cpu", threads=torch.get_num_threads())
    device = device if dtype == "planned" else replace(device, dtype=dtype)
    settings = TrainingSettings(rate=RATE, batch_rows=BATCH, patience=None)
    steps = batches.steps_per_epoch(len(items), BATCH)
    plan = TrainingPlan(steps=steps, batch_rows=BATCH, evaluate_every=steps, seconds_per_step=1.0, budget_seconds=1.0)

    def work() -> Work:
        done = trained(made, items, settings, plan, device)
        parts = [part for step in batches.steps(items, BATCH, device.micro_tokens, 0, 0) for part in step]
        lengths = [[len(items[row].tokens) for row in part] for part in parts]
        losses = tuple(point["loss"] for point in done.curve)
        return Work(
            units=done.tokens, padding=_data.padding(lengths), losses=losses, flops=needed(items, how), dtype=device.dtype
        )

    return work


def trained(
    made: Network, items: list[Any], settings: TrainingSettings, plan: TrainingPlan, device: DevicePlan, *, cached: bool = False
) -> Training:
    """One run of the loop without validation; cached: with a place for what frozen blocks give."""
    with tempfile.TemporaryDirectory() as folder:
        lent = Lent(
            device=device,
            pad=_data.END,
            seed=0,
            folder=Path(folder),
            validate=lambda: 0.0,
            note=lambda **_: None,
            stop=lambda: False,
            cache=Path(folder) / "cache" if cached else None,
        )
        return train(made, items, settings, plan, lent)


def needed(items: list[Any], how: str) -> float:
    """FLOPs of the matrix products without which one epoch can't be had: blocks at real tokens, the vocabulary where asked.

    Forward, and backward to the inputs; where all weights move also to the weights. Attention's own products are left out.
    """
    passes = 2 if how == "lora" else 3
    return float(passes * (PRODUCT * sum(len(item.tokens) for item in items) + VOCABULARY * sum(item.units for item in items)))


def planned(rows: int, how: str, peer: str, dtype: str = "planned") -> Callable[[], Work]:
    """Ours in the precision that the device plan chooses."""
    return ours(rows, how, peer)


def keep(rows: int, how: str, peer: str, dtype: str = "planned") -> Callable[[], Work]:
    """Ours with the dropout of the frozen trunk, as the peer has it."""
    return ours(rows, how, peer, dtype, trunk_dropout="keep")


def peer(rows: int, how: str, peer: str, dtype: str = "planned") -> Callable[[], Work]:
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    pairs = _data.alpaca(rows)
    table = [{"input_ids": p + a, "completion_mask": [0] * len(p) + [1] * len(a)} for p, a in pairs]
    plain = {} if peer == "default" else {"bf16": False, "gradient_checkpointing": False}
    expert = peer == "expert"
    grouped = {"train_sampling_strategy": "group_by_length"} if expert else {}
    drops = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0} if expert else {}
    folder = tempfile.mkdtemp()
    settings = SFTConfig(
        output_dir=folder,
        per_device_train_batch_size=BATCH,
        max_length=_data.LENGTH,
        num_train_epochs=1,
        learning_rate=RATE,
        completion_only_loss=True,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
        **plain,
        **grouped,
    )
    adapters = LoraConfig(
        r=8, lora_alpha=32, lora_dropout=0.0 if expert else 0.1, target_modules=["c_attn"], task_type="CAUSAL_LM"
    )
    trainer = SFTTrainer(
        model=_data.gpt2(**drops),
        args=settings,
        train_dataset=Dataset.from_list(table),
        processing_class=padded_tokenizer(),
        peft_config=adapters if how == "lora" else None,
    )
    seen: list[list[int]] = []
    collate = trainer.data_collator

    def counted(rows_of_batch: list[dict[str, Any]]) -> Any:
        seen.append([len(row["input_ids"]) for row in rows_of_batch])
        return collate(rows_of_batch)

    trainer.data_collator = counted

    def work() -> Work:
        loss = trainer.train().training_loss
        # a row's last token is asked, never read, and we don't count it either
        return Work(units=sum(map(sum, seen)) - sum(map(len, seen)), padding=_data.padding(seen), losses=(loss,))

    return work


def padded_tokenizer() -> Any:
    coder = _data.tokenizer()
    coder.pad_token = coder.eos_token
    return coder


def gate(rows: int, how: str, peer: str, dtype: str = "planned") -> dict[str, float]:
    return _gate.adapters(network(how, dropout=0.0), _data.encoded(_data.alpaca(min(rows, BATCH))), _data.END)


SIDES = {"ours": ours, "planned": planned, "keep": keep, "peer": peer, "gate": gate}
