"""The candidates of a sweep: a method with every combination of the settings that are to be tried."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.compare.halving import effort, rungs
from accordeur.errors import RecipeError
from accordeur.method import Method, build_method, method_names, nearest, settings_of

MOST_CANDIDATES = 256
Axes = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One combination; its name is that of the method with the values that are swept: `lora[rank=8,rate=0.0003]`."""

    name: str
    values: Mapping[str, Any]
    work: Method


def candidates_of(method: str, settings: Mapping[str, Any], swept: Axes) -> tuple[Candidate, ...]:
    """Every combination of the swept values, the last setting varying fastest. All are built, so all faults come first.

    Where a method would choose its rate among several, these are part of the sweep: a rank must not lose for a rate that
    suits another. Raises RecipeError.
    """
    axes = {name.replace("-", "_"): list(values) for name, values in swept.items()}
    given = {name.replace("-", "_"): value for name, value in settings.items()}
    for name, values in axes.items():
        if name in given:
            raise RecipeError(f"{method}.{name} is both set and swept", hint="keep one of the two")
        if not values or any(values.count(value) > 1 for value in values):
            raise RecipeError(f"sweep of {method}.{name}: expected different values, found {values}")
    axes |= own_rates(method, given, axes)
    count = 1
    for values in axes.values():
        count *= len(values)
    if count > MOST_CANDIDATES:
        raise RecipeError(f"a sweep of {method} over {count} candidates; at most {MOST_CANDIDATES}", hint="fewer values")
    combinations = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    return tuple(
        Candidate(name=named(method, values), values=values, work=build_method(method, {**given, **values}))
        for values in combinations
    )


def own_rates(method: str, given: Mapping[str, Any], axes: Axes) -> dict[str, list[Any]]:
    """The rates that a method would choose among, where it is not told which to take."""
    known = settings_of(build_method(method, given))
    if not {"rate", "rates"} <= set(known) or {"rate", "rates"} & set(axes) or known["rate"] is not None:
        return {}
    return {"rate": list(known["rates"])}


def named(method: str, values: Mapping[str, Any]) -> str:
    """A candidate's name."""
    return f"{method}[{','.join(f'{name}={shown(value)}' for name, value in values.items())}]"


def shown(value: Any) -> str:
    """A value as it is written in a name."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def grids(methods: Mapping[str, Mapping[str, Any]], sweep: Mapping[str, Axes]) -> dict[str, tuple[Candidate, ...]]:
    """The candidates of every method that is swept."""
    for method in sweep:
        if method not in methods:
            known = method in method_names()
            why = "is not among the methods" if known else "is unknown"
            hint = "add it to the methods" if known else nearest(method, method_names())
            raise RecipeError(f"sweep: method {method!r} {why}", hint=hint)
    return {method: candidates_of(method, methods[method], axes) for method, axes in sweep.items()}


def grid_notes(swept: Mapping[str, Sequence[Candidate]], full: bool) -> list[str]:
    """What a sweep will try, and what that costs."""
    return [
        f"sweep of {method}: {len(candidates)} candidates ({axes_of(candidates)}), chosen on the validation rows; "
        f"they share the budget of one run, which pays for {effort(len(candidates), rungs(len(candidates), not full)):.3g} "
        "trainings of equal length"
        for method, candidates in swept.items()
        if len(candidates) > 1
    ]


def axes_of(candidates: Sequence[Candidate]) -> str:
    """The values of every swept setting."""
    values = {name: dict.fromkeys(shown(one.values[name]) for one in candidates) for name in candidates[0].values}
    return "; ".join(f"{name} {', '.join(found)}" for name, found in values.items())
