"""Eight LoRA candidates on a small decoder: one sweep in one process against eight TRL runs one after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from accordeur.base import Base
from accordeur.compare.grid import candidates_of
from accordeur.compare.sweep import DECISION, fit_best
from accordeur.context import Context
from accordeur.evidence.metric import RowStatistics
from accordeur.evidence.pairing import paired_difference
from accordeur.example import IGNORED
from accordeur.report.scores import judged
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.training.device import plan_device
from accordeur.training.network import Network
from accordeur.training.trainable import lora
from benchmarks import _data, _gate
from benchmarks._worker import Work

RANKS, RATES = (4, 8), (1e-4, 3e-4, 1e-3, 3e-3)
SETTINGS = {"epochs": 3.0, "batch_rows": 8, "alpha": 16.0, "dropout": 0.0}
VALIDATION, HELD_OUT = 32, 128
AMPLE = 100_000.0  # seconds: the epochs, not the clock, then decide the number of steps


def task(rows: int) -> Task:
    first, second = rows, rows + VALIDATION
    return Task(
        name="alpaca",
        kind="write",
        train=_data.instructions(0, first),
        validation=_data.instructions(first, second),
        test=_data.instructions(second, second + HELD_OUT),
        metrics=("nll",),
        max_length=_data.LENGTH,
    )


def sweep(given: Task, base: Base, halved: bool, dtype: str) -> tuple[Any, dict[str, Any]]:
    """(the winner's model, the record of the sweep), from nothing but the files of the base and the rows."""
    device = replace(plan_device("cpu", threads=torch.get_num_threads()), dtype=dtype)
    with tempfile.TemporaryDirectory() as folder:
        context = Context(seed=0, folder=Path(folder) / "work", cache=Path(folder) / "cache", budget_seconds=AMPLE, device=device)
        candidates = candidates_of("lora", SETTINGS, {"rank": RANKS, "rate": RATES})
        model = fit_best(candidates, given, base, context, name="benchmark", halved=halved)
        return model, context.decisions()[DECISION]


def ours(rows: int, dtype: str, halved: bool = False) -> Callable[[], Work]:
    given, base = task(rows), _data.saved(_data.small_decoder(), Path(tempfile.mkdtemp()))

    def work() -> Work:
        sweep(given, base, halved, dtype)
        return Work(units=len(RANKS) * len(RATES))

    return work


def halving(rows: int, dtype: str) -> Callable[[], Work]:
    return ours(rows, dtype, halved=True)


def peer(rows: int, dtype: str) -> Callable[[], Work]:
    from datasets import Dataset

    given, base = task(rows), _data.saved(_data.small_decoder(), Path(tempfile.mkdtemp()))
    train, validation = (Dataset.from_list(table(part, given, base)) for part in (given.train, given.validation))

    def work() -> Work:
        scores = {(rank, rate): one_run(base, rank, rate, train, validation) for rank in RANKS for rate in RATES}
        min(scores, key=lambda name: scores[name])
        return Work(units=len(scores))

    return work


def table(rows: Any, given: Task, base: Base) -> list[dict[str, list[int]]]:
    """The very tokens that our side trains on."""
    codec, kind = Codec(tokenizer=base.tokenizer(), family=base.family, max_length=given.max_length), kind_of("write")
    found = []
    for row, example in enumerate(rows):
        (item,) = kind.encode(example, row, given, codec)
        target = np.asarray(item.target)
        mask = [0, *(target != IGNORED).astype(int).tolist()]
        found.append({"input_ids": [*item.tokens.tolist(), int(target[-1])], "completion_mask": mask})
    return found


def one_run(base: Base, rank: int, rate: float, train: Any, validation: Any) -> float:
    """A whole TRL run as its users write it, in float32 and without checkpointing: its loss on the validation rows."""
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    from benchmarks.finetune import padded_tokenizer

    settings = SFTConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=SETTINGS["batch_rows"],
        max_length=_data.LENGTH,
        num_train_epochs=SETTINGS["epochs"],
        learning_rate=rate,
        completion_only_loss=True,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
    )
    adapters = LoraConfig(
        r=rank,
        lora_alpha=SETTINGS["alpha"],
        lora_dropout=SETTINGS["dropout"],
        target_modules=["c_attn"],
        task_type="CAUSAL_LM",
    )
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(base.path, dtype=torch.float32),
        args=settings,
        train_dataset=train,
        eval_dataset=validation,
        processing_class=padded_tokenizer(),
        peft_config=adapters,
    )
    trainer.train()
    return float(trainer.evaluate()["eval_loss"])


def gate(rows: int, dtype: str) -> dict[str, Any]:
    """Loss and gradient of a batch; and that the winner of the halved sweep is as good as that of the full one.

    Both winners answer held-out rows that neither has seen: the halved one passes where it is better, or where the paired
    95 % interval of the difference holds zero.
    """
    found: dict[str, Any] = exact()
    given, base = task(rows), _data.saved(_data.small_decoder(), Path(tempfile.mkdtemp()))
    tables = {}
    for way in (True, False):
        model, record = sweep(given, base, way, dtype)
        likely = model.log_probs(given.test)
        tables[way] = np.array([[-row.log_probs.sum(), len(row.log_probs)] for row in likely], np.float64)
        found["winner_halved" if way else "winner_full"] = record["winner"]
        found["effort_halved" if way else "effort_full"] = record["effort"]
    metric = judged(kind_of("write").metric("nll"))
    gap = paired_difference(RowStatistics(values=tables[True]), RowStatistics(values=tables[False]), metric)
    return {**found, "held_out": [gap.difference, gap.low, gap.high], "holds": gap.low <= 0}


def exact() -> dict[str, float]:
    holder = Network(_data.small_decoder(), "causal")
    lora(holder, rank=8, alpha=16, dropout=0.0)
    return _gate.adapters(holder, _data.encoded(_data.alpaca(8)), _data.END)


SIDES = {"ours": ours, "halving": halving, "peer": peer, "gate": gate}
