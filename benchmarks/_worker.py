"""One run of one side, in a process of its own: prints its measurement as the last line."""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a side has done: how many units (real tokens, rows), and what share of what it computed was padding."""

    units: int
    padding: float = 0.0
    losses: tuple[float, ...] = ()
    flops: float = 0.0  # of the matrix products that are needed; 0 where they aren't counted
    dtype: str = "float32"


def main() -> None:
    module, side, rows, options = sys.argv[1:]
    import torch

    torch.set_num_threads(int(__import__("os").environ["OMP_NUM_THREADS"]))
    prepare = importlib.import_module(f"benchmarks.{module}").SIDES[side]
    work = prepare(int(rows), **json.loads(options))
    print(json.dumps(work if isinstance(work, dict) else timed(work)))


def timed(work: Callable[[], Work]) -> dict[str, Any]:
    """Wall and CPU seconds of the work itself, and the memory of the whole process: before it, and at its peak."""
    import psutil

    before = psutil.Process().memory_info().rss / 2**20
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    shares = {"share_of_products": round(done.flops / wall / product_rate(done.dtype), 3)} if done.flops else {}
    return {
        "units_per_wall": done.units / wall,
        "units_per_cpu": done.units / cpu,
        "wall": wall,
        "cpu": cpu,
        "padding": done.padding,
        "before_mb": before,
        "peak_mb": peak,
        "losses": list(done.losses),
        **shares,
    }


def product_rate(dtype: str) -> float:
    """FLOP/s of the fastest large matrix product here, by either library."""
    import torch

    from accordeur.training.processor import onednn_products

    left, right = (torch.randn(2048, 2048).to(getattr(torch, dtype)) for _ in range(2))
    times = []
    for onednn in (False, True):
        with onednn_products(onednn):
            for _ in range(4):
                begun = time.perf_counter()
                torch.mm(left, right)
                times.append(time.perf_counter() - begun)
    return float(2 * 2048**3 / min(times))


if __name__ == "__main__":
    main()
