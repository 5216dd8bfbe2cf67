"""Runs both sides of a benchmark in turn, each run in a process of its own, and takes medians."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.names import BENCHMARKS, Benchmark

QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}
LOSS_LIMIT = 1e-5
COSINE_LIMIT = 0.99999


def compare(name: str, *, rows: int, pairs: int, threads: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Gate first, then A B A B …; every run is printed as it ends."""
    benchmark = BENCHMARKS[name]
    gate = run(benchmark, "gate", rows=rows, threads=threads)
    show(name, "gate", gate)
    lines = []
    for pair in range(pairs):
        for side in (*benchmark.sides, *benchmark.also):
            line = {"side": side, "pair": pair, **run(benchmark, side, rows=rows, threads=threads)}
            lines.append(line)
            show(name, side, line)
    return lines, summary(name, benchmark, gate, lines, {"rows": rows, "pairs": pairs, "threads": threads})


def run(benchmark: Benchmark, side: str, *, rows: int, threads: int) -> dict[str, Any]:
    """One run in a fresh process; its last line of output is its measurement."""
    command = [sys.executable, "-m", "benchmarks._worker", benchmark.module, side, str(rows), json.dumps(benchmark.options)]
    environment = {**os.environ, **QUIET, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{benchmark.module} {side} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    measured: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return measured


def summary(
    name: str, benchmark: Benchmark, gate: dict[str, Any], lines: list[dict[str, Any]], request: dict[str, int]
) -> dict[str, Any]:
    """Medians of both sides and their ratios: above 1 means faster, for memory below 1 means smaller."""
    ours, peer = benchmark.sides
    middle = {side: {key: median(lines, side, key) for key in KEYS} for side in (ours, peer)}
    passed = gate["loss_difference"] <= LOSS_LIMIT and gate["cosine"] >= COSINE_LIMIT and gate.get("holds", True)
    return {
        "benchmark": name,
        "ratio_wall": round(middle[ours]["units_per_wall"] / middle[peer]["units_per_wall"], 3),
        "ratio_cpu": round(middle[ours]["units_per_cpu"] / middle[peer]["units_per_cpu"], 3),
        "memory_ratio": round(middle[ours]["peak_mb"] / middle[peer]["peak_mb"], 3),
        "gate": "passed" if passed else "failed",
        "loss_difference": gate["loss_difference"],
        "gradient_cosine": gate["cosine"],
        **{name: value for name, value in gate.items() if name not in ("loss_difference", "cosine")},
        "setting": benchmark.setting,
        "peer": benchmark.peer,
        "must_reach": benchmark.must_reach,
        "unit": benchmark.unit,
        "ours": middle[ours],
        "theirs": middle[peer],
        **curves(lines, ours, peer),
        **shares(lines, ours),
        **({"also": {side: beside(lines, side, middle[peer]) for side in benchmark.also}} if benchmark.also else {}),
        **request,
    }


KEYS = ("units_per_wall", "units_per_cpu", "padding", "before_mb", "peak_mb")


def median(lines: list[dict[str, Any]], side: str, key: str) -> float:
    return round(float(statistics.median(line[key] for line in lines if line["side"] == side)), 4)


def beside(lines: list[dict[str, Any]], side: str, peer: dict[str, float]) -> dict[str, Any]:
    """Another way of ours against the same runs of the peer."""
    own = {key: median(lines, side, key) for key in KEYS}
    ratios = {"wall": "units_per_wall", "cpu": "units_per_cpu", "memory": "peak_mb"}
    return {**{f"ratio_{name}": round(own[key] / peer[key], 3) for name, key in ratios.items()}, **own, **shares(lines, side)}


def shares(lines: list[dict[str, Any]], side: str) -> dict[str, float]:
    """The needed products per second as a share of the machine's measured rate, where a side counts them."""
    found = [line["share_of_products"] for line in lines if line["side"] == side and "share_of_products" in line]
    return {"share_of_products": round(float(statistics.median(found)), 3)} if found else {}


def curves(lines: list[dict[str, Any]], ours: str, peer: str) -> dict[str, float]:
    """The difference of the mean losses of both runs, where both tell them: they see the same rows in another order."""
    told = [(line["side"], statistics.mean(line["losses"])) for line in lines if line.get("losses")]
    means = {side: [loss for name, loss in told if name == side] for side in (ours, peer)}
    if not all(means.values()):
        return {}
    return {"mean_loss_difference": round(abs(statistics.median(means[ours]) - statistics.median(means[peer])), 4)}


def show(name: str, side: str, line: dict[str, Any]) -> None:
    print(json.dumps({"benchmark": name, "side": side, **line}), flush=True)
