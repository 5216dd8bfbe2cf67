"""`python -m benchmarks.where [--how lora|full] [--dtype float32|bfloat16]`: where the time of a training step goes, in shares.

Also the rates of the matrix products that it is made of, by the default library, by oneDNN and in bf16.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from accordeur.plan import TrainingPlan
from accordeur.training import narrow
from accordeur.training.device import plan_device
from accordeur.training.processor import onednn_products
from accordeur.training.settings import TrainingSettings
from benchmarks import _data
from benchmarks.finetune import BATCH, RATE, network, trained

STEPS = 4
PARTS = {  # what the profiler's names begin with
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::_addmm"),
    "attention": ("aten::_scaled_dot_product",),
    "GELU": ("aten::gelu",),
    "copies and casts": ("aten::copy_", "aten::_to_copy", "aten::cat", "aten::clone"),
    "softmax of the vocabulary": ("aten::_softmax", "aten::amax", "aten::scatter_add", "aten::logsumexp"),
    "norms": ("aten::native_layer_norm", "aten::native_batch_norm"),
    "zeroed memory": ("aten::fill_", "aten::zero_"),
    "dropout": ("aten::bernoulli", "aten::random_", "aten::native_dropout"),
    "optimizer": ("aten::_fused_adam", "Optimizer"),
}
SHAPES = {"block": (1024, 768, 3072), "vocabulary": (160, 768, 50257)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.where", description=__doc__)
    parser.add_argument("--how", choices=("lora", "full"), default="lora")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"))
    parser.add_argument("--recast", action="store_true", help="cast frozen weights in every pass, as plain autocast does")
    given = parser.parse_args()
    if given.recast:
        narrow.has_room = lambda *_: False
    for name, (rows, inner, columns) in SHAPES.items():
        print(f"{name} product {rows} x {inner} x {columns}, GFLOP/s: {rates(rows, inner, columns)}")
    items, made = _data.encoded(_data.alpaca(64)), network(given.how)
    device = plan_device("cpu", dtype=given.dtype)
    print(device.reason)
    settings = TrainingSettings(rate=RATE, batch_rows=BATCH, patience=None)
    plan = TrainingPlan(steps=STEPS, batch_rows=BATCH, evaluate_every=STEPS, seconds_per_step=1.0, budget_seconds=1.0)
    trained(made, items, settings, replace(plan, steps=1, evaluate_every=1), device)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        tokens = trained(made, items, settings, plan, device).tokens
    seconds = {event.key: event.self_cpu_time_total for event in profile.key_averages()}
    whole = sum(seconds.values())
    print(f"{tokens / (whole / 1e6):.0f} real tokens per CPU second, profiler included")
    for name, beginnings in PARTS.items():
        print(f"{name}: {sum(value for key, value in seconds.items() if key.startswith(beginnings)) / whole:.1%}")


def rates(rows: int, inner: int, columns: int) -> dict[str, int]:
    """Of x Wᵀ, with W as a layer of the base holds it."""
    left, right = torch.randn(rows, inner), torch.randn(columns, inner)
    ways = {"default": (False, torch.float32), "oneDNN": (True, torch.float32), "bf16": (False, torch.bfloat16)}
    return {name: rate(left.to(dtype), right.to(dtype), onednn) for name, (onednn, dtype) in ways.items()}


def rate(left: torch.Tensor, right: torch.Tensor, onednn: bool) -> int:
    """GFLOP/s of one product."""
    with onednn_products(onednn):
        return round(2 * left.numel() * len(right) / best(lambda: left @ right.T) / 1e9)


def best(work: Callable[[], object]) -> float:
    """The fastest of five."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


if __name__ == "__main__":
    main()
