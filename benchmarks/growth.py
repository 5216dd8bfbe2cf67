"""What a row costs where there are many: read, tokenise and batch everything, then 50 training steps, at growing numbers of rows.

No peer: a thousand rows are the measure of a million. CPU seconds per token are those of everything that is done to all rows;
the training steps are the same 400 rows' worth at any size and are told apart. Memory is the peak of what can't be given
back (anonymous pages; kept tokens and stored rows are pages of files).
"""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from accordeur.base import Base
from accordeur.data import load_examples
from accordeur.models.encoded import train_items
from accordeur.models.kept import kept
from accordeur.plan import DevicePlan, TrainingPlan
from accordeur.task import Task
from accordeur.training import batches
from accordeur.training.device import plan_device
from accordeur.training.loop import Lent, train
from accordeur.training.network import Network
from accordeur.training.settings import TrainingSettings
from accordeur.training.trainable import lora
from benchmarks import _data
from benchmarks.rows import Watch, anonymous

NAME = "growth"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
STEPS, BATCH = 50, 8
SPREAD = 1.25  # most to least CPU seconds per token, and peak memory of the largest to the smallest


def write_rows(path: Path, count: int) -> None:
    """Alpaca rows again and again, each with a number of its own so that no two are the same."""
    with (_data.data_folder() / "alpaca_en" / "train.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with path.open("w", encoding="utf-8") as stream:
        for place, row in zip(range(count), itertools.cycle(rows), strict=False):
            instruction = f"{row['instruction']} ({place})"
            stream.write(json.dumps({"instruction": instruction, "input": row["input"], "output": row["output"]}) + "\n")


def prepared(path: Path, base: Base, cache: Path) -> Sequence[Any]:
    """Read and tokenised, as a method gets them."""
    _, rows, _ = load_examples(path)
    task = Task(name="t", kind="write", train=rows, validation=(), test=(), metrics=("nll",), max_length=_data.LENGTH)
    return train_items(task, base, cache)


def all_batches(items: Sequence[Any]) -> Iterator[int]:
    """Every batch of an epoch, padded and ready; gives the real tokens of each."""
    for parts in batches.steps(items, BATCH, 1024, 0, 0):
        for part in parts:
            yield batches.collate([items[row] for row in part], _data.END).real_tokens


def trained(items: Sequence[Any], folder: Path) -> int:
    """Fifty steps; gives their real tokens."""
    made = Network(_data.small_decoder(), "causal")
    lora(made, rank=8)
    plan = TrainingPlan(steps=STEPS, batch_rows=BATCH, evaluate_every=STEPS, seconds_per_step=1.0, budget_seconds=1.0)
    lent = Lent(
        device=plan_device("cpu", threads=torch.get_num_threads()),
        pad=_data.END,
        seed=0,
        folder=folder,
        validate=lambda: 0.0,
        note=lambda **_: None,
        stop=lambda: False,
    )
    return train(made, items, TrainingSettings(rate=2e-4, batch_rows=BATCH, patience=None), plan, lent).tokens


def side(rows: int) -> Any:
    """One size, in a process of its own; what it measures is in what it returns."""
    folder = Path(tempfile.mkdtemp())
    base = kept(_data.saved(_data.gpt2(n_layer=1, n_embd=32, n_head=1), folder / "base"), DevicePlan())
    write_rows(folder / "small.jsonl", 200)
    sum(all_batches(prepared(folder / "small.jsonl", base, folder / "warm")))
    write_rows(folder / "rows.jsonl", rows)
    before, watch = anonymous(), Watch()
    watch.start()
    begun, wall = time.process_time(), time.perf_counter()
    items = prepared(folder / "rows.jsonl", base, folder / "cache")
    encoded = time.process_time()
    tokens = sum(all_batches(items))
    batched, wall = time.process_time(), time.perf_counter() - wall
    most = watch.most
    seen = trained(items, folder)
    return {
        "rows": rows,
        "tokens": tokens,
        "cpu_per_token_us": 1e6 * (batched - begun) / tokens,
        "of_batching_us": 1e6 * (batched - encoded) / tokens,
        "cpu_per_trained_token_us": 1e6 * (time.process_time() - batched) / seen,
        "wall": wall,
        "memory_mb": most / 2**20,
        "memory_grown_mb": (most - before) / 2**20,
        "peak_mb": watch.most / 2**20,
    }


SIDES = {"rows": side}


def compare(*, threads: int, sizes: Sequence[int] = SIZES) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Every size in turn; the ratios are those of the largest to the smallest."""
    from benchmarks._measure import run, show
    from benchmarks.names import Benchmark

    script = Benchmark(module="growth", setting="", peer="", must_reach=1.0)
    lines = []
    for size in sizes:
        lines.append(run(script, "rows", rows=size, threads=threads))
        show(NAME, "rows", lines[-1])
    costs = [line["cpu_per_token_us"] for line in lines]
    spread, memory = max(costs) / min(costs), lines[-1]["peak_mb"] / lines[0]["peak_mb"]
    return lines, {
        "benchmark": NAME,
        "ratio_wall": round((lines[0]["wall"] / lines[0]["tokens"]) / (lines[-1]["wall"] / lines[-1]["tokens"]), 3),
        "ratio_cpu": round(costs[0] / costs[-1], 3),
        "memory_ratio": round(memory, 3),
        "gate": "passed" if spread <= SPREAD and memory <= SPREAD else "failed",
        "spread_cpu_per_token": round(spread, 3),
        "setting": f"read, tokenise, batch everything, then {STEPS} steps: {sizes[0]:,} to {sizes[-1]:,} rows",
        "peer": f"{sizes[0]:,} rows (speed per token; the gate: CPU per token and memory within 25 %)",
        "must_reach": 0.8,
        "unit": "real tokens",
        "threads": threads,
    }
