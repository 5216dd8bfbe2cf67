"""Nested parts of the train rows, drawn once: what a method makes of fewer rows, all else being equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from accordeur.example import Example
from accordeur.task import Task

LONGEST_LABEL = 100  # letters; a longer expected text is an answer, not a label
ROWS_PER_LABEL = 3  # fewer rows than that per different answer: the answers are free, and no strata


def chosen_sizes(wanted: Sequence[int | Literal["all"]], rows: int) -> tuple[tuple[int, ...], list[str]]:
    """(the sizes below `rows`, smallest first; a note for those that are not). All rows are always run."""
    sizes = sorted({size for size in wanted if size != "all"})
    large = [str(size) for size in sizes if size >= rows]
    notes = [f"train sizes {', '.join(large)} left out: there are {rows} train rows"] if large else []
    return tuple(size for size in sizes if size < rows), notes


def nested_order(rows: Sequence[Example]) -> list[int]:
    """The places of all rows in an order of which any beginning is a part with the shares of the whole.

    Drawn by seed 0: within a label at random, labels woven together in proportion, and a row of every label first, so that
    a part with as many rows as there are labels knows them all. A shorter beginning is inside a longer one.
    """
    drawn: list[int] = np.random.default_rng(0).permutation(len(rows)).tolist()
    strata: dict[str, list[int]] = {}
    for turn, place in enumerate(drawn):
        strata.setdefault(stratum(rows[place]), []).append(turn)
    if len(strata) * ROWS_PER_LABEL > len(rows):
        return drawn
    woven = [(rank > 0, (rank + 0.5) / len(turns), turn) for turns in strata.values() for rank, turn in enumerate(turns)]
    return [drawn[turn] for _, _, turn in sorted(woven)]


def stratum(row: Example) -> str:
    """The label of a row, where it has one."""
    expected = row.expected
    return expected if isinstance(expected, str) and len(expected) < LONGEST_LABEL else ""


def sized(task: Task, train_rows: int | None) -> Task:
    """The task with the first `train_rows` train rows of the nested order, in their own order; all else as it is."""
    if train_rows is None:
        return task
    kept = sorted(nested_order(task.train)[:train_rows])
    return replace(task, train=tuple(task.train[place] for place in kept))
