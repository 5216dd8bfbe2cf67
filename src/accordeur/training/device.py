"""Reads the machine once and decides how to use it: device, precision, threads and micro-batch size."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

from accordeur.errors import EnvironmentFault
from accordeur.plan import DevicePlan

CPU_FLAGS = Path("/proc/cpuinfo")
CPU_MICRO_TOKENS = 1024  # measured: beyond this a CPU gains nothing and the activations leave the cache
HALF_FLAGS = ("amx_bf16", "avx512_bf16")  # elsewhere bf16 products are emulated, and about twice as slow as float32
TRIALS = 6
HALF_GAIN = 1.3  # bf16 must be that much faster here, else what the casts cost is not earned back
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
    dtype = "bfloat16" if half else "float32"
    return DevicePlan(
        device=chosen,
        dtype=dtype,
        scoring_dtype=dtype,
        threads=threads or core_count(),
        micro_tokens=tokens,
        reason=f"{chosen}, {free / 2**30:.0f} GiB free; {precision}; {tokens} tokens a pass",
    )


def plan_cpu(threads: int | None, micro_tokens: int | None) -> DevicePlan:
    """CPU: training in bf16 where the processor multiplies it and a short trial shows a gain; all else in float32."""
    cores = threads or core_count()
    free = psutil.virtual_memory().available
    tokens = micro_tokens or budget_tokens(free, smallest=256, largest=CPU_MICRO_TOKENS)
    dtype, reason = cpu_dtype(cpu_flags(), cores)
    return DevicePlan(
        device="cpu",
        dtype=dtype,
        threads=cores,
        micro_tokens=tokens,
        reason=f"cpu, {cores} threads, {reason}; {free / 2**30:.0f} GiB free: {tokens} tokens a pass",
    )


def cpu_dtype(flags: frozenset[str], cores: int) -> tuple[str, str]:
    """The precision of training, and why."""
    vector = next((name for name in (*HALF_FLAGS, "avx512f", "avx2") if name in flags), "no vector flags read")
    if vector not in HALF_FLAGS:
        return "float32", f"{vector}: float32 (bf16 would be emulated)"
    gain = half_gain(cores)
    if gain < HALF_GAIN:
        return "float32", f"{vector}: float32 (bf16 only {gain:.1f}x as fast here)"
    return "bfloat16", f"{vector}: training in bf16 ({gain:.1f}x as fast here), scoring in float32"


@functools.cache
def half_gain(cores: int) -> float:
    """How many times faster a matrix product is in bf16 than in float32, measured in some 30 ms."""
    before = torch.get_num_threads()
    torch.set_num_threads(cores)
    try:
        seconds = {dtype: product_seconds(dtype) for dtype in (torch.float32, torch.bfloat16)}
    finally:
        torch.set_num_threads(before)
    return seconds[torch.float32] / seconds[torch.bfloat16]


def product_seconds(dtype: torch.dtype) -> float:
    """The fastest of a few products of a transformer's usual shape."""
    left, right = torch.ones(512, 768, dtype=dtype), torch.ones(768, 768, dtype=dtype)
    times = []
    for _ in range(TRIALS):
        begun = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - begun)
    return min(times)


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


def precision(plan: DevicePlan) -> contextlib.AbstractContextManager[None]:
    """A training step's forward pass in the planned dtype; for float32 it costs nothing."""
    return in_dtype(plan.device, plan.dtype)


def scoring_precision(plan: DevicePlan) -> contextlib.AbstractContextManager[None]:
    """Any other forward pass in its planned dtype."""
    return in_dtype(plan.device, plan.scoring_dtype)


@contextlib.contextmanager
def in_dtype(device: str, dtype: str) -> Iterator[None]:
    """Matrix products in a dtype; float32 leaves everything as it is."""
    if dtype == "float32":
        yield
        return
    with torch.autocast(torch.device(device).type, dtype=getattr(torch, dtype)):
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
