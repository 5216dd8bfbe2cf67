"""What is decided once, before training, and stored: the device plan and the number of steps."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class DevicePlan:
    """How the machine is used, with the reasons in one line."""

    device: str = "cpu"  # a torch device
    dtype: str = "float32"  # of the forward pass; weights that move stay float32
    threads: int = 1
    checkpointing: bool = False  # recompute activations in the backward pass
    micro_tokens: int = 2048  # padded tokens per micro-batch
    compiled: bool = False  # torch.compile of the repeated block
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """A budget turned into steps, once. The same plan and seed give the same model."""

    steps: int  # optimizer steps
    batch_rows: int  # rows per optimizer step
    evaluate_every: int  # steps between two validations
    seconds_per_step: float  # as measured by the trial
    budget_seconds: float
    reason: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self)
