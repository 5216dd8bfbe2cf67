"""Wall seconds, CPU seconds and peak memory of one piece of work."""

from __future__ import annotations

import ctypes
import gc
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc(5): resets the peak resident set size


@dataclass(kw_only=True)
class Meter:
    """Runs from `start` to `stop`. The peak is that of this work: the process's high-water mark is reset at the start."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    _begun: tuple[float, float] = field(default=(0.0, 0.0))
    _can_reset: bool = False

    def start(self) -> Meter:
        """Forgets the past: frees what is free, resets the peak."""
        gc.collect()
        give_back_memory()
        self._can_reset = reset_peak()
        self._begun = (time.monotonic(), cpu_seconds())
        return self

    def stop(self) -> Meter:
        """Reads the clocks and the peak."""
        self.seconds = time.monotonic() - self._begun[0]
        self.cpu_seconds = cpu_seconds() - self._begun[1]
        self.peak_bytes = peak_bytes() if self._can_reset else psutil.Process().memory_info().rss
        return self


def cpu_seconds() -> float:
    """User and system time of this process and of the children it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def reset_peak() -> bool:
    """Resets the high-water mark of this process; False where the system can't."""
    try:
        CLEAR_REFS.write_text(RESET_PEAK)
    except OSError:
        return False
    return True


def peak_bytes() -> int:
    """The high-water mark of resident memory since the last reset."""
    for line in STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return int(psutil.Process().memory_info().rss)


def give_back_memory() -> None:
    """Returns freed heap to the system, so that an earlier run's memory isn't counted for this one (glibc only)."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return


def folder_bytes(folder: Path) -> int:
    """Size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
