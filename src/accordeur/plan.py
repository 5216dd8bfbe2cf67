"""What is decided once, before training, and stored: the device plan and the number of steps."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class DevicePlan:
    """How the machine is used, with the reasons in one line."""

    device: str = "cpu"  # a torch device
    dtype: str = "float32"  # of the forward pass in training; weights that move stay float32
    scoring_dtype: str = "float32"  # of every other forward pass: answers, likelihoods, features
    threads: int = 1
    checkpointing: bool = False  # recompute activations in the backward pass
    micro_tokens: int = 2048  # padded tokens per micro-batch
    onednn: bool = False  # float32 matrix products by oneDNN, where it is as exact as the default library and faster
    packed: bool = False  # rows of a pass one after the other without padding, each seeing itself only
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """A budget turned into steps, once. The same plan and seed give the same model."""

    steps: int  # optimizer steps
    batch_rows: int  # rows per optimizer step
    evaluate_every: int  # steps between two validations
    seconds_per_step: float  # as measured by the trial
    budget_seconds: float
    compiled: bool = False  # torch.compile of the repeated block, where the trial has shown that it pays
    reason: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How an answer is written. temperature 0 is greedy; top_k 0 and top_p 1 cut nothing; beams > 1 is beam search."""

    max_new_tokens: int = 128
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    beams: int = 1
    seed: int = 0
    stop_ids: tuple[int, ...] = ()
