"""`python -m benchmarks.trunk_dropout`: what the frozen trunk's own dropout does to held-out loss under LoRA, with intervals.

accordeur-mini with GPT-2's dropout shares (0.1 on embeddings, attention and residuals) learns to answer 300 Alpaca rows by LoRA,
twice over, two seeds, with the dropout kept and off. 400 other rows: the loss of an answer token.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from accordeur.evidence.intervals import score_interval
from accordeur.evidence.metric import Metric, RowStatistics, mean
from accordeur.evidence.pairing import paired_difference
from accordeur.example import Encoded
from accordeur.foundations.default import EMBEDDED
from accordeur.plan import TrainingPlan
from accordeur.tasks import Codec, kind_of
from accordeur.training.batches import steps_per_epoch
from accordeur.training.device import plan_device
from accordeur.training.loop import Lent, train
from accordeur.training.network import Network
from accordeur.training.scoring import log_probs
from accordeur.training.settings import TrainingSettings
from accordeur.training.trainable import lora
from benchmarks import _data

TRAIN, HELD_OUT, EPOCHS, BATCH, SEEDS = 300, 400, 2, 8, 2
SHARE = 0.1
LOSS = Metric(name="loss", finish=mean, higher_is_better=False, unit="nats", bounds=None)


def main() -> None:
    items = encoded(TRAIN + HELD_OUT)
    train_items, held_out = items[:TRAIN], items[TRAIN:]
    found = {
        way: RowStatistics(values=np.stack([losses(way, seed, train_items, held_out) for seed in range(SEEDS)])) for way in WAYS
    }
    told: dict[str, Any] = {}
    for way, statistics in found.items():
        bounds = score_interval(statistics, LOSS)
        told[way] = {"loss": round(bounds.value, 4), "low": round(bounds.low, 4), "high": round(bounds.high, 4)}
    gap = paired_difference(found["keep"], found["off"], LOSS)
    told["keep minus off"] = {"loss": round(gap.difference, 4), "low": round(gap.low, 4), "high": round(gap.high, 4)}
    print(json.dumps({"rows": {"train": TRAIN, "held out": HELD_OUT}, "epochs": EPOCHS, "seeds": SEEDS, **told}))


WAYS: tuple[Literal["keep", "off"], ...] = ("keep", "off")


def encoded(rows: int) -> list[Encoded]:
    """The first Alpaca rows as accordeur reads them."""
    from accordeur.base import find_base
    from accordeur.task import Task

    base = find_base(str(EMBEDDED))
    examples = _data.instructions(0, rows)
    task = Task(name="alpaca", kind="write", train=examples, validation=(), test=(), metrics=("nll",), max_length=_data.LENGTH)
    codec, kind = Codec(tokenizer=base.tokenizer(), family=base.family, max_length=task.max_length), kind_of("write")
    items = [item for row, example in enumerate(examples) for item in kind.encode(example, row, task, codec)]
    return [item for item in items if item.units]  # a few answers are empty, or cut away whole


def losses(way: Literal["keep", "off"], seed: int, items: list[Encoded], held_out: list[Encoded]) -> Any:
    """(rows, 2): the summed loss of the answer tokens of each held-out row, and how many there are."""
    from transformers import AutoModelForCausalLM

    drops = {"resid_pdrop": SHARE, "embd_pdrop": SHARE, "attn_pdrop": SHARE}
    trunk = AutoModelForCausalLM.from_pretrained(EMBEDDED, local_files_only=True, dtype=torch.float32, **drops)
    network = Network(trunk, "causal", seed=seed)
    lora(network, rank=8, alpha=32, dropout=0.1, trunk_dropout=way)
    device = plan_device("cpu")
    steps = EPOCHS * steps_per_epoch(len(items), BATCH)
    plan = TrainingPlan(steps=steps, batch_rows=BATCH, evaluate_every=steps, seconds_per_step=1.0, budget_seconds=1.0)
    with tempfile.TemporaryDirectory() as folder:
        lent = Lent(
            device=device,
            pad=0,
            seed=seed,
            folder=Path(folder),
            validate=lambda: 0.0,
            note=lambda **_: None,
            stop=lambda: False,
        )
        train(network, items, TrainingSettings(rate=1e-3, batch_rows=BATCH, patience=None), plan, lent)
    return np.array([[-float(row.sum()), len(row)] for row in log_probs(network, held_out, device, 0)])


if __name__ == "__main__":
    main()
