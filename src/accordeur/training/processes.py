"""Several processes at one training, as `accelerate launch` starts them: each reads a share of every step.

Gradients are summed over all of them before anything moves, so all hold the same weights (data parallelism); the first one alone
judges, tells and writes. They see one folder of work, as on one machine or a shared disk.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from accordeur.errors import EnvironmentFault
from accordeur.training import randomness

PATIENCE = datetime.timedelta(hours=12)  # the others wait while the first writes ids or judges
SEEDS = 2**32


@dataclass(frozen=True, kw_only=True)
class Processes:
    """This is process `rank` of `count`; a training that nobody launched with others is alone."""

    rank: int = 0
    count: int = 1
    device: str | None = None  # this one's own; none: to be chosen

    @property
    def first(self) -> bool:
        """Whether this one judges, tells and writes."""
        return self.rank == 0

    def share(self, rows: Sequence[int]) -> Sequence[int]:
        """Every count-th row: rows of like length lie together, so that all shares take alike."""
        return rows[self.rank :: self.count]

    @contextlib.contextmanager
    def in_turn(self) -> Iterator[None]:
        """The first before all others, who find what it wrote."""
        if not self.first:
            torch.distributed.barrier()
        yield
        if self.count > 1 and self.first:
            torch.distributed.barrier()

    def agreed(self, value: float) -> float:
        """What the first has."""
        if self.count == 1:
            return value
        told = torch.tensor([value], dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(told, 0)
        return float(told)

    def summed(self, network: nn.Module, loss: float, tokens: int) -> tuple[float, int]:
        """Adds up the gradients of all; gives the loss and the tokens of all. A loss that isn't finite is everybody's."""
        if self.count == 1:
            return loss, tokens
        moving = [parameter for parameter in network.parameters() if parameter.requires_grad]
        gradients = [torch.zeros_like(one) if one.grad is None else one.grad for one in moving]
        whole = torch.cat([gradient.flatten() for gradient in gradients])
        told = torch.tensor([loss, tokens], dtype=torch.float64, device=whole.device)
        torch.distributed.all_reduce(told)
        torch.distributed.all_reduce(whole)
        for parameter, part in zip(moving, torch.split(whole, [one.numel() for one in moving]), strict=True):
            parameter.grad = part.view_as(parameter)
        return float(told[0]), int(told[1])

    def scatter(self, seed: int, step: int) -> None:
        """Random states of this process and step: no two drop the same, and a resumed run goes on as it would have."""
        if self.count > 1:
            randomness.seed_all((seed * 1_000_003 + step * self.count + self.rank) % SEEDS)


ALONE = Processes()


@contextlib.contextmanager
def launched() -> Iterator[Processes]:
    """The processes that were started with this one; they part at the end. EnvironmentFault where cards are fewer than they."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield ALONE
        return
    from accelerate import PartialState
    from accelerate.utils import parse_flag_from_env

    cpu = parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.cuda.is_available()
    check_cards(0 if cpu else torch.cuda.device_count())
    state = PartialState(cpu=cpu, timeout=PATIENCE)
    try:
        yield Processes(rank=state.process_index, count=state.num_processes, device=str(state.device))
    finally:
        state.destroy_process_group()


def check_cards(cards: int) -> None:
    """EnvironmentFault where processes of this machine would share a card; 0 cards: they run on the processor."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE", os.environ["WORLD_SIZE"]))
    if 0 < cards < here:
        raise EnvironmentFault(
            f"{here} processes were started here, where there {'is 1 GPU' if cards == 1 else f'are {cards} GPUs'}",
            hint=f"start one process a GPU (--num_processes {cards}), or all on the processor: accelerate launch --cpu",
        )
