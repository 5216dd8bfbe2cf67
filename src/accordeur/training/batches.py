"""Rows of token ids as padded tensors, and the order in which they are trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from accordeur.example import IGNORED, Encoded
from accordeur.training.even import Even

WINDOW = 64  # batches per shuffled window: wide enough for tight length buckets, small beside a large set

PASS_COST = 32  # a pass costs as much as this part of its token budget, however few rows it holds
TIGHT_ROWS = 128  # beyond, the greedy cuts are as good and quicker found


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Rows padded on the right. B rows, T the longest, U the longest target."""

    tokens_BT: Tensor  # int64
    lengths_B: Tensor  # int64, real tokens of each row
    mask_BT: Tensor | None  # bool, True where real; None where nothing is padded
    segments_BT: Tensor | None
    targets: Tensor | None  # (B,) int64 or float32 for labels and scores, else (B, U) int64 padded with IGNORED
    real_tokens: int
    positions_BT: Tensor | None = None  # of a packed batch: counted anew in each row that was put in it


def collate(items: Sequence[Encoded], pad: int, device: str | torch.device = "cpu") -> Batch:
    """Stacks rows: right padding, mask only where needed, targets by their form."""
    lengths = np.array([len(item.tokens) for item in items], dtype=np.int64)
    tokens_BT = padded([item.tokens for item in items], pad, device)
    width = tokens_BT.shape[1]
    lengths_B = torch.from_numpy(lengths).to(device)
    full = bool((lengths == width).all())
    mask_BT = None if full else torch.arange(width, device=device)[None] < lengths_B[:, None]
    return Batch(
        tokens_BT=tokens_BT,
        lengths_B=lengths_B,
        mask_BT=mask_BT,
        segments_BT=segments(items, device),
        targets=targets(items, device),
        real_tokens=int(lengths.sum()),
    )


def packed(items: Sequence[Encoded], device: str | torch.device = "cpu") -> Batch:
    """Rows one after the other as a single row (B = 1) without padding; positions begin anew in each, which keeps them apart."""
    lengths = [len(item.tokens) for item in items]
    whole = Encoded(
        tokens=np.concatenate([item.tokens for item in items]), target=np.concatenate([np.asarray(item.target) for item in items])
    )
    positions = np.concatenate([np.arange(length) for length in lengths])
    return replace(collate([whole], 0, device), positions_BT=torch.from_numpy(positions)[None].to(device))


def padded(rows: Sequence[Any], filler: int, device: str | torch.device) -> Tensor:
    """(B, longest) int64, filled on the right."""
    table = np.full((len(rows), max(1, *(len(row) for row in rows)) if rows else 1), filler, dtype=np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return torch.from_numpy(table).to(device)


def segments(items: Sequence[Encoded], device: str | torch.device) -> Tensor | None:
    """(B, T) int64, or None where no row has segments."""
    if all(item.segments is None for item in items):
        return None
    return padded([np.zeros_like(item.tokens) if item.segments is None else item.segments for item in items], 0, device)


def targets(items: Sequence[Encoded], device: str | torch.device) -> Tensor | None:
    """Labels and scores as (B,), everything else as (B, U) padded with IGNORED; None where a row has no target."""
    values: list[Any] = [item.target for item in items]
    if any(value is None for value in values):
        return None
    if isinstance(values[0], np.ndarray) and values[0].ndim == 1:
        return padded(values, IGNORED, device)
    kind = torch.int64 if all(isinstance(value, int | np.integer) for value in values) else torch.float32
    return torch.tensor(values, dtype=kind, device=device)


def widths_of(items: Sequence[Encoded]) -> npt.NDArray[np.int64]:
    """(rows,): how long each row is for the model; rows of one width are not made for it."""
    if isinstance(items, Even):
        return np.full(len(items), width(items[0]), dtype=np.int64)
    return np.fromiter((width(item) for item in items), dtype=np.int64, count=len(items))


def mean_tokens(items: Sequence[Encoded]) -> float:
    """Tokens of an average row."""
    return float(len(items[0].tokens)) if isinstance(items, Even) else sum(len(item.tokens) for item in items) / len(items)


def width(item: Encoded) -> int:
    """How long a row is for the model: its tokens, or its target where that is longer (sequence to sequence)."""
    asked = len(item.target) if isinstance(item.target, np.ndarray) and item.target.ndim == 1 else 0
    return max(1, len(item.tokens), asked)


def steps_per_epoch(rows: int, batch_rows: int) -> int:
    """Optimizer steps that see every row once."""
    return -(-rows // batch_rows)


def steps(
    items: Sequence[Encoded], batch_rows: int, micro_tokens: int, seed: int, epoch: int, *, packs: bool = False
) -> Iterator[list[list[int]]]:
    """One epoch: each optimizer step is a list of micro-batches, each a list of row indices; `packs` where they are packed.

    Rows are shuffled, cut into windows, sorted by length inside a window and cut into batches; the batches are
    then shuffled over the whole epoch. What a batch holds depends on rows, seed and epoch, never on `micro_tokens`.
    """
    widths = widths_of(items)
    for rows in batch_rows_of_epoch(widths, batch_rows, seed, epoch):
        yield packed_micro_batches(rows, widths, micro_tokens) if packs else tight_micro_batches(rows, widths, micro_tokens)


def packed_micro_batches(rows: Sequence[int] | np.ndarray, widths: np.ndarray, micro_tokens: int) -> list[list[int]]:
    """Cuts rows so that their tokens together stay within the budget; one row always goes."""
    parts: list[list[int]] = []
    room = 0
    for row in rows:
        if not parts or int(widths[row]) > room:
            parts.append([])
            room = micro_tokens
        parts[-1].append(int(row))
        room -= int(widths[row])
    return parts


def batch_rows_of_epoch(widths: np.ndarray, batch_rows: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of one epoch in their order, each as row indices sorted from long to short."""
    rng = np.random.default_rng([seed, epoch, 0xBA7C])
    order = rng.permutation(len(widths))
    batches: list[np.ndarray] = []
    window = batch_rows * WINDOW
    for start in range(0, len(order), window):
        part = order[start : start + window]
        part = part[np.argsort(-widths[part], kind="stable")]
        # the odd batch must not always hold the shortest rows, so it is cut at a random place
        odd = len(part) % batch_rows
        place = int(rng.integers(len(part) // batch_rows + 1)) * batch_rows if odd else 0
        cuts = [*range(0, place, batch_rows), *([place] if odd else []), *range(place + odd, len(part), batch_rows)]
        batches += np.split(part, cuts[1:]) if len(part) else []
    rng.shuffle(batches)
    return batches


def micro_batches(rows: Sequence[int] | np.ndarray, widths: np.ndarray, micro_tokens: int) -> list[list[int]]:
    """Cuts rows, longest first, so that rows × longest stays within the budget; one row always goes."""
    parts: list[list[int]] = []
    for row in rows:
        if parts and (len(parts[-1]) + 1) * int(widths[parts[-1][0]]) <= micro_tokens:
            parts[-1].append(int(row))
        else:
            parts.append([int(row)])
    return parts


def tight_micro_batches(rows: Sequence[int] | np.ndarray, widths: np.ndarray, micro_tokens: int) -> list[list[int]]:
    """The cuts of one step, longest row first, that cost least: padded tokens, and a fixed cost for every pass.

    Exact by dynamic programming over the cuts; a pass holds at most `micro_tokens` padded tokens, or one row.
    """
    if len(rows) > TIGHT_ROWS:
        return micro_batches(rows, widths, micro_tokens)
    fixed = micro_tokens // PASS_COST
    least, begins = [0.0], [0]
    for end in range(1, len(rows) + 1):
        costs = {
            begin: least[begin] + (end - begin) * int(widths[rows[begin]]) + fixed
            for begin in range(end)
            if end - begin == 1 or (end - begin) * int(widths[rows[begin]]) <= micro_tokens
        }
        best = min(costs, key=lambda begin: costs[begin])
        least.append(costs[best])
        begins.append(best)
    parts: list[list[int]] = []
    end = len(rows)
    while end:
        parts.append([int(row) for row in rows[begins[end] : end]])
        end = begins[end]
    return parts[::-1]


def by_length(items: Sequence[Encoded], micro_tokens: int) -> list[list[int]]:
    """All rows, longest first, in batches within the token budget: for evaluation and features."""
    widths = widths_of(items)
    return micro_batches(np.argsort(-widths, kind="stable"), widths, micro_tokens)
