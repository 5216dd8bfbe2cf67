"""Which runs a comparison is made of: every method, every seed that matters, every number of train rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.compare.grid import Candidate
from accordeur.method import Method, build_method


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One run that is to be made; `train_rows` where it learns from a part of the train rows only.

    candidates: what it chooses among, where its method is swept; `work` is then the method as the recipe has it.
    """

    name: str
    method: str
    seed: int
    work: Method
    train_rows: int | None = None
    candidates: tuple[Candidate, ...] = ()


def planned_runs(
    methods: Mapping[str, Mapping[str, Any]],
    seeds: int,
    sizes: Sequence[int] = (),
    swept: Mapping[str, tuple[Candidate, ...]] | None = None,
) -> list[Planned]:
    """Methods from the cheapest up; per method the full size first, then the smaller ones; every seed where a seed matters.

    A sweep of a single candidate is no choice: it is that method with those settings.
    """
    grids = {name: found for name, found in (swept or {}).items() if len(found) > 1}
    alone = {name: found[0].work for name, found in (swept or {}).items() if len(found) == 1}
    built = sorted(
        ((name, alone.get(name) or build_method(name, settings)) for name, settings in methods.items()),
        key=lambda pair: (pair[1].height, pair[0]),
    )
    return [
        Planned(
            name=f"{name}-n{size}-s{seed}" if size else f"{name}-s{seed}",
            method=name,
            seed=seed,
            work=work,
            train_rows=size,
            candidates=grids.get(name, ()),
        )
        for name, work in built
        for size in (None, *(sizes if type(work).trained else ()))
        for seed in range(seeds if work.seeded else 1)
    ]
