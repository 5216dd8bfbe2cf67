"""Ctrl-C once: the step ends and the state is saved. Twice: out at once, with everything finished kept."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

HARD_STOP = 130


class Stopper:
    """Counts requests to stop. Call it to ask whether there was one."""

    def __init__(self, on_first: Callable[[], None]) -> None:
        self.asked = 0
        self.on_first = on_first

    def __call__(self) -> bool:
        """Whether the work should stop after its step."""
        return self.asked > 0

    def request(self, number: int, frame: FrameType | None) -> None:
        """A signal came."""
        self.asked += 1
        if self.asked > 1:
            sys.stderr.write("\nstopped hard: finished runs are kept\n")
            sys.stderr.flush()
            os._exit(HARD_STOP)
        self.on_first()

    def listen(self) -> Stopper:
        """Takes over SIGINT and SIGTERM."""
        signal.signal(signal.SIGINT, self.request)
        signal.signal(signal.SIGTERM, self.request)
        return self
