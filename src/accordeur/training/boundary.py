"""What the frozen blocks below the first moving one give, computed once and read back in every epoch, seed and sweep."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from accordeur.example import Encoded
from accordeur.plan import DevicePlan
from accordeur.store import fingerprint
from accordeur.training.batches import Batch, by_length, collate
from accordeur.training.device import precision, threads
from accordeur.training.network import Network
from accordeur.training.scoring import evaluating
from accordeur.training.tokens import data_digest
from accordeur.training.trainable import active_dropout, final_norms, stack

Array = npt.NDArray[np.float32]
DISK_SHARE = 4  # the table may take this part of the free disk, one in so many
CHECKED_ROWS = 4
TOLERANCE = 1e-4  # of the loss of a few rows, relative; half precision rounds at 4e-3


@dataclass(kw_only=True, eq=False)
class Boundary:
    """The inputs of the first moving block, of every row, and the blocks that need not run for them."""

    table_NH: Array  # all tokens of all rows, one after the other
    starts: npt.NDArray[np.int64]  # (rows + 1,), where in the table each row begins
    skipped: list[nn.Module]
    current_BTH: Tensor | None = field(default=None)  # of the batch at hand; none: every block runs

    @contextlib.contextmanager
    def reading(self, rows: Sequence[int], batch: Batch) -> Iterator[None]:
        """The frozen blocks are skipped for this batch, which holds these rows."""
        width = batch.tokens_BT.shape[1]
        hidden_BTH = np.zeros((len(rows), width, self.table_NH.shape[1]), dtype=np.float32)
        for place, row in enumerate(rows):
            part = self.table_NH[self.starts[row] : self.starts[row + 1]]
            hidden_BTH[place, : len(part)] = part
        self.current_BTH = torch.from_numpy(hidden_BTH).to(batch.tokens_BT.device)
        try:
            yield
        finally:
            self.current_BTH = None


def reading(boundary: Boundary | None, rows: Sequence[int], batch: Batch) -> contextlib.AbstractContextManager[None]:
    """`boundary.reading`, or nothing without a boundary."""
    return contextlib.nullcontext() if boundary is None else boundary.reading(rows, batch)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """For what a boundary is wanted. Nothing is computed, only found, unless `worthwhile`."""

    items: Sequence[Encoded]
    device: DevicePlan
    pad: int
    folder: Path | None  # where tables are kept
    worthwhile: bool


@contextlib.contextmanager
def prepared(network: Any, wanted: Wanted) -> Iterator[Boundary | None]:
    """The boundary while it lasts; None where nothing frozen lies below, or where it would change what is computed."""
    first = first_moving(network)
    path = wanted.folder / f"{key(network, first, wanted)}.npy" if wanted.folder and first else None
    if path is None or not (path.is_file() or (wanted.worthwhile and has_room(network, wanted.items, path.parent))):
        yield None
        return
    blocks = [network.get_submodule(f"trunk.{name}") for name in stack(network)]
    with threads(wanted.device):
        if not path.is_file():
            fill(path, network, blocks[first], wanted)
        boundary = Boundary(table_NH=np.load(path, mmap_mode="r"), starts=starts_of(wanted.items), skipped=blocks[:first])
        with skipping(boundary, forms(network, boundary.skipped, wanted)):
            yield boundary if agrees(network, boundary, wanted) else None


def first_moving(network: Any) -> int:
    """Index of the lowest block in which something moves, or 0 where what lies below isn't frozen and deterministic."""
    if type(network) is not Network or network.trunk.config.is_encoder_decoder or network.noise:
        return 0
    names = [f"trunk.{name}." for name in stack(network)]
    above = tuple(f"trunk.{name}" for name in final_norms(network.trunk, stack(network)[-1].rpartition(".")[0]))
    moving = [name for name, weight in network.named_parameters() if weight.requires_grad]
    places = {next((place for place, block in enumerate(names) if name.startswith(block)), -1) for name in moving}
    inside = sorted(places - {-1})
    outside = [name for name in moving if not name.startswith((*names, "head.", *above))]
    first = inside[0] if inside and not outside else 0
    noisy = [name for name in active_dropout(network.trunk) if not f"trunk.{name}.".startswith(tuple(names[first:]))]
    return 0 if noisy else first


def key(network: Any, first: int, wanted: Wanted) -> str:
    """A name for the values of the table: every frozen weight below, the block, the rows, and how sums are made."""
    total = hashlib.sha256()
    names = tuple(f"trunk.{name}." for name in stack(network)[first:])
    for name, weight in network.trunk.named_parameters():
        if not f"trunk.{name}".startswith(names) and not weight.requires_grad:
            total.update(name.encode())
            total.update(weight.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    device = wanted.device
    return fingerprint([total.hexdigest(), first, data_digest(wanted.items), device.dtype, device.onednn, device.device])[:32]


def has_room(network: Any, items: Sequence[Encoded], folder: Path) -> bool:
    """Whether the table takes a small part of the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    size = int(starts_of(items)[-1]) * int(network.trunk.config.hidden_size) * 4
    return size * DISK_SHARE < shutil.disk_usage(folder).free


def starts_of(items: Sequence[Encoded]) -> npt.NDArray[np.int64]:
    """(rows + 1,): where each row begins in a table of all tokens."""
    lengths = np.fromiter((len(item.tokens) for item in items), dtype=np.int64, count=len(items))
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])


def fill(path: Path, network: Any, block: nn.Module, wanted: Wanted) -> None:
    """Computes the table, rows of like length together; the file is whole or not there."""
    starts = starts_of(wanted.items)
    shape = (int(starts[-1]), int(network.trunk.config.hidden_size))
    neighbour = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        table_NH = np.lib.format.open_memmap(neighbour, mode="w+", dtype=np.float32, shape=shape)
        for rows in by_length(wanted.items, wanted.device.micro_tokens):
            hidden_BTH = inputs_of(network, block, collated(rows, wanted), wanted.device)
            for row, hidden_TH in zip(rows, hidden_BTH, strict=True):
                table_NH[starts[row] : starts[row + 1]] = hidden_TH[: starts[row + 1] - starts[row]]
        table_NH.flush()
        neighbour.replace(path)
    finally:
        neighbour.unlink(missing_ok=True)


class Reached(Exception):  # noqa: N818  (no error: the way out of a forward pass)
    """The block whose inputs are wanted has been reached."""


def inputs_of(network: Any, block: nn.Module, batch: Batch, device: DevicePlan) -> Array:
    """(B, T, H): what comes into a block; the blocks above don't run."""
    found: list[Tensor] = []

    def catch(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        found.append(args[0] if args else kwargs["hidden_states"])
        raise Reached

    handle = block.register_forward_pre_hook(catch, with_kwargs=True)
    try:
        with evaluating(network), precision(device), contextlib.suppress(Reached):
            network.hidden(batch)
    finally:
        handle.remove()
    return found[0].float().cpu().numpy()


def collated(rows: Sequence[int], wanted: Wanted) -> Batch:
    """Some rows as a batch."""
    return collate([wanted.items[row] for row in rows], wanted.pad, wanted.device.device)


def forms(network: Any, skipped: list[nn.Module], wanted: Wanted) -> list[bool]:
    """Of each skipped block, whether it answers with a tuple."""
    answers: dict[int, bool] = {}
    handles = [
        block.register_forward_hook(lambda block, _, output: answers.update({id(block): isinstance(output, tuple)}))
        for block in skipped
    ]
    try:
        inputs_last(network, wanted)
    finally:
        for handle in handles:
            handle.remove()
    return [answers[id(block)] for block in skipped]


def inputs_last(network: Any, wanted: Wanted) -> None:
    """One forward pass of the shortest row."""
    shortest = min(range(min(len(wanted.items), CHECKED_ROWS)), key=lambda row: len(wanted.items[row].tokens))
    with evaluating(network), precision(wanted.device):
        network.hidden(collated([shortest], wanted))


@contextlib.contextmanager
def skipping(boundary: Boundary, tuples: list[bool]) -> Iterator[None]:
    """While a batch is at hand the first skipped block answers with its boundary, the others with what they are given."""
    for place, (block, in_tuple) in enumerate(zip(boundary.skipped, tuples, strict=True)):
        block.forward = short(boundary, block.forward, place == 0, in_tuple)
    try:
        yield
    finally:
        for block in boundary.skipped:
            del block.forward


def short(boundary: Boundary, plain: Callable[..., Any], is_first: bool, in_tuple: bool) -> Callable[..., Any]:
    """The way around one block."""

    def run(*args: Any, **kwargs: Any) -> Any:
        if boundary.current_BTH is None:
            return plain(*args, **kwargs)
        hidden_BTH = boundary.current_BTH if is_first else args[0] if args else kwargs["hidden_states"]
        return (hidden_BTH,) if in_tuple else hidden_BTH

    return run


def agrees(network: Any, boundary: Boundary, wanted: Wanted) -> bool:
    """Whether a few rows have the same loss either way: a trunk whose blocks hand on more than one tensor doesn't."""
    rows = list(range(min(len(wanted.items), CHECKED_ROWS)))
    batch = collated(rows, wanted)
    with evaluating(network), precision(wanted.device):
        plain = float(network.loss(batch)[0])
        with boundary.reading(rows, batch):
            short_way = float(network.loss(batch)[0])
    tolerance = TOLERANCE if wanted.device.dtype == "float32" else 100 * TOLERANCE
    return abs(plain - short_way) <= tolerance * max(1.0, abs(plain))
