"""Nested parts of the train rows, drawn once: what a method makes of fewer rows, all else being equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from accordeur.data.keyed import expected_of, taken
from accordeur.data.stored import Places
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


def nested_order(rows: Sequence[Example]) -> Places:
    """The places of all rows in an order of which any beginning is a part with the shares of the whole.

    Drawn by seed 0: within a label at random, labels woven together in proportion, and a row of every label first, so that
    a part with as many rows as there are labels knows them all. A shorter beginning is inside a longer one.
    """
    drawn = np.random.default_rng(0).permutation(len(rows))
    of = strata(rows)[drawn]
    sizes = np.bincount(of)
    if len(sizes) * ROWS_PER_LABEL > len(rows):
        return drawn
    by_label = np.argsort(of, kind="stable")
    rank = np.empty(len(rows), np.int64)  # of each row within its label
    rank[by_label] = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return drawn[np.lexsort((np.arange(len(rows)), (rank + 0.5) / sizes[of], rank > 0))]


def strata(rows: Sequence[Example]) -> Places:
    """(rows,): the number of the label of each row, where it has one."""
    known: dict[str, int] = {}
    labels = (value if isinstance(value, str) and len(value) < LONGEST_LABEL else "" for value in expected_of(rows))
    return np.fromiter((known.setdefault(label, len(known)) for label in labels), np.int64, count=len(rows))


def sized(task: Task, train_rows: int | None) -> Task:
    """The task with the first `train_rows` train rows of the nested order, in their own order; all else as it is."""
    if train_rows is None:
        return task
    return replace(task, train=taken(task.train, np.sort(nested_order(task.train)[:train_rows])))
