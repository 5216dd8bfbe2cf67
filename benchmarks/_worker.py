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


def main() -> None:
    module, side, rows, options = sys.argv[1:]
    import torch

    torch.set_num_threads(int(__import__("os").environ["OMP_NUM_THREADS"]))
    prepare = importlib.import_module(f"benchmarks.{module}").SIDES[side]
    work = prepare(int(rows), **json.loads(options))
    print(json.dumps(work if isinstance(work, dict) else timed(work)))


def timed(work: Callable[[], Work]) -> dict[str, Any]:
    """Wall and CPU seconds of the work itself, and the peak memory of the whole process."""
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "units_per_wall": done.units / wall,
        "units_per_cpu": done.units / cpu,
        "wall": wall,
        "cpu": cpu,
        "padding": done.padding,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "losses": list(done.losses),
    }


if __name__ == "__main__":
    main()
