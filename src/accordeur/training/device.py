"""Reads the machine once and decides how to use it: device, precision, threads and micro-batch size."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import psutil
import torch

from accordeur.errors import EnvironmentFault
from accordeur.plan import DevicePlan
from accordeur.training.processor import (
    LIBRARY_GAIN,
    core_count,
    cpu_dtype,
    cpu_flags,
    onednn_gain,
    onednn_products,
    with_threads,
)

CPU_MICRO_TOKENS = 1024  # measured: beyond this a CPU gains nothing and the activations leave the cache
BYTES_PER_TOKEN = 4_000_000  # activations of a 124M decoder in training, fp32, rounded up
HALF_BYTES_PER_TOKEN = 1_000_000  # the same on an accelerator, in half precision; a base that needs more is given smaller passes


def plan_device(
    device: str | None = None, threads: int | None = None, micro_tokens: int | None = None, dtype: str | None = None
) -> DevicePlan:
    """The plan for this machine; what is passed is taken as it stands, and the reason says that it was asked for.

    Raises EnvironmentFault where the named device isn't there.
    """
    chosen = device or best_device()
    check_device(chosen)
    found = plan_cpu(threads, dtype) if torch.device(chosen).type == "cpu" else plan_accelerator(chosen, threads)
    named = {"device": device, "threads": threads, "dtype": dtype, "micro_tokens": micro_tokens}
    told = ", ".join(f"{name} {value}" for name, value in named.items() if value is not None)
    return replace(
        found,
        dtype=dtype or found.dtype,
        scoring_dtype=found.scoring_dtype if dtype is None or found.scoring_dtype == "float32" else dtype,
        micro_tokens=micro_tokens or found.micro_tokens,
        reason=found.reason + (f"; as asked: {told}" if told else ""),
    )


def plan_accelerator(device: str, threads: int | None) -> DevicePlan:
    """CUDA: bf16 throughout where it has units for it, else training in fp16, whose range is too small for scoring; MPS: float32.

    As many tokens a pass as half of its free memory allows: a small base keeps such a card busy by large passes only.
    """
    free = free_bytes(device) if device.startswith("cuda") else free_bytes(device) // 2  # MPS shares the main memory
    half = device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False)
    dtype, precision = "bfloat16", "bf16 units"
    if not half:
        dtype, precision = ("float16", "no bf16 units: fp16") if device.startswith("cuda") else ("float32", "float32")
    each = BYTES_PER_TOKEN if dtype == "float32" else HALF_BYTES_PER_TOKEN
    tokens = budget_tokens(free, smallest=1024, largest=32768, each=each)
    return DevicePlan(
        device=device,
        dtype=dtype,
        scoring_dtype=dtype if half else "float32",
        threads=threads or core_count(),
        micro_tokens=tokens,
        packed=device.startswith("cuda"),
        reason=f"{device}, {free / 2**30:.0f} GiB free; {precision}; {tokens} tokens a pass",
    )


def plan_cpu(threads: int | None, asked: str | None) -> DevicePlan:
    """CPU: training as asked, or in bf16 where a short trial of the processor's own shows a gain; all else in float32."""
    cores = threads or core_count()
    free = free_bytes("cpu")
    tokens = budget_tokens(free, smallest=256, largest=CPU_MICRO_TOKENS)
    dtype, reason = (asked, f"training in {asked}") if asked else cpu_dtype(cpu_flags(), cores)
    gain = onednn_gain(cores)
    onednn = gain >= LIBRARY_GAIN
    library = f"; float32 products by oneDNN ({gain:.2f}x)" if onednn else ""
    return DevicePlan(
        device="cpu",
        dtype=dtype,
        threads=cores,
        micro_tokens=tokens,
        onednn=onednn,
        reason=f"cpu, {cores} threads, {reason}{library}; {free / 2**30:.0f} GiB free: {tokens} tokens a pass",
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


def machine(plan: DevicePlan, processes: int = 1) -> str:
    """What a run is made on, in words: the card by its name, else the processor cores."""
    if plan.device.startswith("cuda"):
        name = torch.cuda.get_device_name(plan.device)
        return name if processes == 1 else f"{processes} × {name}"
    cores = processes * plan.threads
    return plan.device if plan.device != "cpu" else f"{cores} processor core{'s' if cores > 1 else ''}"


def free_bytes(device: str) -> int:
    """Free memory of an accelerator that has its own, else of the machine."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(torch.device(device))[0])
    return int(psutil.virtual_memory().available)


def budget_tokens(free: int, *, smallest: int, largest: int, each: int = BYTES_PER_TOKEN) -> int:
    """Padded tokens per micro-batch that use at most half the free memory, as a power of two; `each`: bytes of one."""
    fitting = max(1, free // 2 // each)
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
    """The planned number of threads and library of products, then the former ones: sums depend on them, so they are planned."""
    with with_threads(plan.threads), onednn_products(plan.onednn):
        yield
