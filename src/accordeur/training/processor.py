"""What this processor does well, tried once in a fraction of a second: matrix products in bf16, and by which library."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import torch

CPU_FLAGS = Path("/proc/cpuinfo")
HALF_FLAGS = ("amx_bf16", "avx512_bf16")  # elsewhere bf16 products are emulated, and about twice as slow as float32
TRIALS = 6
HALF_GAIN = 1.3  # bf16 must be that much faster here, else what the casts cost is not earned back
LIBRARY_GAIN = 1.03  # the other library must be that much faster
EXACT = 2e-6  # relative: float32 sums of 768 products differ by less, half precision by a thousand times more
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
BLOCK = 2**30


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
    with with_threads(cores):
        return product_seconds(torch.float32) / product_seconds(torch.bfloat16)


@functools.cache
def onednn_gain(cores: int) -> float:
    """How many times faster float32 products are by oneDNN than by the default library; 0 where they are less exact.

    PyTorch takes oneDNN for float32 only where lower precision is allowed; without matrix units it then computes in float32
    all the same, which is checked here against float64.
    """
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(size, generator=generator) for size in ((128, 768), (768, 768)))
    exact = left.double() @ right.double()
    with with_threads(cores):
        before = product_seconds(torch.float32)
        with onednn_products():
            found, after = left @ right, product_seconds(torch.float32)
    error = float((found.double() - exact).abs().max() / exact.abs().max())
    return before / after if error < EXACT else 0.0


def product_seconds(dtype: torch.dtype) -> float:
    """The fastest of a few pairs of products: a block's usual shape, and a tile of a vocabulary."""
    left, right, words = (torch.ones(size, dtype=dtype) for size in ((512, 768), (768, 768), (4096, 768)))
    times = []
    for _ in range(TRIALS):
        begun = time.perf_counter()
        torch.mm(left, right)
        torch.mm(left[:160], words.T)
        times.append(time.perf_counter() - begun)
    return min(times)


@contextlib.contextmanager
def with_threads(count: int) -> Iterator[None]:
    """So many threads, then as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def onednn_products(wanted: bool = True) -> Iterator[None]:
    """Float32 matrix products by oneDNN where wanted, then as before."""
    if not wanted:
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@functools.cache
def keep_memory() -> bool:
    """Lets freed blocks be used again: glibc gives large ones back at once, and each new one costs its pages anew.

    Whether it took effect; other C libraries are left alone. The peak of memory stays what it is.
    """
    try:
        library = ctypes.CDLL(None)
        return bool(library.mallopt(M_MMAP_THRESHOLD, BLOCK) and library.mallopt(M_TRIM_THRESHOLD, 2 * BLOCK - 1))
    except (OSError, AttributeError):
        return False
