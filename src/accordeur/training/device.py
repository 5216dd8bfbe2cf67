"""Reads the machine once and decides how to use it: device, precision, threads and micro-batch size."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

from accordeur.errors import EnvironmentFault
from accordeur.plan import DevicePlan

CPU_FLAGS = Path("/proc/cpuinfo")
CPU_MICRO_TOKENS = 1024  # measured: beyond this a CPU gains nothing and the activations leave the cache
BYTES_PER_TOKEN = 4_000_000  # activations of a 124M decoder in training, fp32, rounded up


def plan_device(device: str | None = None, threads: int | None = None, micro_tokens: int | None = None) -> DevicePlan:
    """The plan for this machine; what is passed is taken as it stands.

    Raises EnvironmentFault where the named device isn't there.
    """
    chosen = device or best_device()
    check_device(chosen)
    if chosen == "cpu":
        return plan_cpu(threads, micro_tokens)
    free = free_bytes(chosen)
    half = chosen.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)
    tokens = micro_tokens or budget_tokens(free, smallest=1024, largest=32768)
    precision = "bf16 units" if half else "no bf16 units: float32"
    return DevicePlan(
        device=chosen,
        dtype="bfloat16" if half else "float32",
        threads=threads or core_count(),
        micro_tokens=tokens,
        reason=f"{chosen}, {free / 2**30:.0f} GiB free; {precision}; {tokens} tokens a pass",
    )


def plan_cpu(threads: int | None, micro_tokens: int | None) -> DevicePlan:
    """CPU: bf16 only where matrix units take it (elsewhere it is emulated, and about twice as slow as fp32)."""
    flags = cpu_flags()
    half = "amx_bf16" in flags
    cores = threads or core_count()
    free = psutil.virtual_memory().available
    tokens = micro_tokens or budget_tokens(free, smallest=256, largest=CPU_MICRO_TOKENS)
    vector = next((name for name in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if name in flags), "no vector flags read")
    precision = "bf16 on matrix units" if half else "float32 (bf16 would be emulated)"
    return DevicePlan(
        device="cpu",
        dtype="bfloat16" if half else "float32",
        threads=cores,
        micro_tokens=tokens,
        reason=f"cpu, {cores} threads, {vector}: {precision}; {free / 2**30:.0f} GiB free: {tokens} tokens a pass",
    )


def best_device() -> str:
    """CUDA before MPS before the CPU."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def check_device(name: str) -> None:
    """Raises EnvironmentFault for a device this machine doesn't have."""
    kind = name.split(":")[0]
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(kind, False):
        found = ", ".join(key for key, value in there.items() if value)
        raise EnvironmentFault(f"device {name!r} isn't available here; found: {found}", hint=f"choose one of: {found}")


def cpu_flags() -> frozenset[str]:
    """Instruction-set flags of the first core; empty where the system doesn't tell."""
    try:
        lines = CPU_FLAGS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2].split() for line in lines if line.startswith(("flags", "Features"))), []))


def core_count() -> int:
    """Cores this process may use: OMP_NUM_THREADS where set, else the physical cores inside the affinity mask."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    allowed = len(os.sched_getaffinity(0)) if "sched_getaffinity" in dir(os) else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))


def free_bytes(device: str) -> int:
    """Free memory of an accelerator; half the main memory for MPS, which shares it."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(torch.device(device))[0])
    return int(psutil.virtual_memory().available) // 2


def budget_tokens(free: int, *, smallest: int, largest: int) -> int:
    """Padded tokens per micro-batch that use at most half the free memory, as a power of two."""
    fitting = max(1, free // 2 // BYTES_PER_TOKEN)
    return max(smallest, min(largest, 1 << (fitting.bit_length() - 1)))


@contextlib.contextmanager
def precision(plan: DevicePlan) -> Iterator[None]:
    """The forward pass in the planned dtype; for float32 it costs nothing."""
    if plan.dtype == "float32":
        yield
        return
    with torch.autocast(torch.device(plan.device).type, dtype=getattr(torch, plan.dtype)):
        yield


@contextlib.contextmanager
def threads(plan: DevicePlan) -> Iterator[None]:
    """The planned number of threads, then the former one: sums depend on it, so it is part of the plan."""
    before = torch.get_num_threads()
    torch.set_num_threads(plan.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
