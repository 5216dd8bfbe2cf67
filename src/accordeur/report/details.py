"""The parts of a report that are lists of facts: single rows, data checks, settings, commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.report.figures import Reading
from accordeur.report.views import Cell, Column, Table

RUN_GROUPS = ("settings", "facts", "plan", "provenance")


@dataclass(frozen=True, kw_only=True)
class Said:
    """An answer, who gave it, whether it is right (None: that can't be said by yes or no), and its score."""

    output: str
    methods: str
    right: bool | None
    score: str


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A name and its values: one, or one per run where they differ."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Facts under a heading; `heads` names the runs where values differ, tables hold lists of records."""

    title: str
    facts: tuple[Fact, ...]
    heads: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


def answers(reading: Reading, row: Mapping[str, Any]) -> list[Said]:
    """The answers to one row, equal ones together, the expected one first."""
    labelled = bool(reading.report["task"].get("labels"))
    found: dict[str, list[str]] = {}
    for method, answer in row["answers"].items():
        found.setdefault(answer["output"], []).append(method)
    said = []
    for output, methods in found.items():
        best = row["answers"][methods[0]]
        said.append(
            Said(
                output=output,
                methods=", ".join(methods),
                right=bool(best["right"]) if labelled or best["right"] else None,
                score="" if labelled else ", ".join(reading.score(row["answers"][method]["score"]) for method in methods),
            )
        )
    return sorted(said, key=lambda one: one.right is not True)


def human(key: str) -> str:
    """A key as words."""
    text = str(key).replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def groups_of(values: Mapping[str, Any], title: str, reading: Reading) -> list[Group]:
    """Plain data as groups of facts: what is nested gets a heading of its own, lists of records become tables."""
    facts, tables, nested = [], [], []
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            nested += groups_of(value, f"{title} · {human(key)}" if title else human(key), reading)
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            tables.append(records(human(key), value, reading))
        else:
            facts.append(Fact(name=human(key), values=(reading.numbers.plain(value),)))
    return [*([Group(title=title, facts=tuple(facts), tables=tuple(tables))] if facts or tables else []), *nested]


def records(title: str, rows: Sequence[Mapping[str, Any]], reading: Reading) -> Table:
    """A list of records as a table with a column for every key."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    columns = [Column(title=human(key), numeric=all(isinstance(row.get(key), int | float) for row in rows)) for key in keys]
    cells = [
        [Cell(text=reading.numbers.plain(row.get(key)), sort=sort_key(row.get(key)), class_="words") for key in keys]
        for row in rows
    ]
    return Table(caption=title, columns=columns, rows=cells)


def sort_key(value: Any) -> str | float | None:
    """What a cell of plain data is sorted by."""
    return value if isinstance(value, str | float | int) or value is None else str(value)


def settings(reading: Reading, method: str) -> list[Group]:
    """What the runs of one method were asked and what they chose: one value where all seeds agree, else one per run."""
    runs = [run for run in reading.report["runs"] if run["method"] == method]
    found = []
    for name in RUN_GROUPS:
        flat = [flattened({key: value for key, value in (run.get(name) or {}).items() if key != "sweep"}) for run in runs]
        keys = list(dict.fromkeys(key for one in flat for key in one))
        facts = tuple(merged(key, [one.get(key) for one in flat], reading) for key in keys)
        if facts:
            split = any(len(fact.values) > 1 for fact in facts)
            heads = tuple(run["name"] for run in runs) if split else ()
            found.append(Group(title=reading.words(f"group_{name}"), facts=facts, heads=heads))
    return found


def merged(key: str, values: Sequence[Any], reading: Reading) -> Fact:
    """A fact over several runs."""
    shown = [reading.numbers.plain(value) for value in values]
    return Fact(name=key, values=(shown[0],) if len(set(shown)) == 1 else tuple(shown))


def flattened(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested mappings as one, with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= flattened(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value
    return found
