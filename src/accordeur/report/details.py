"""The parts of a report that are lists of facts: single rows, data checks, settings, commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.report.figures import Reading
from accordeur.report.views import Cell, Column, Table
from accordeur.tasks import kind_of

YES_OR_NO = ("classify", "tag", "extract", "prefer")  # kinds whose answers are right or wrong; a written one may be near
PARTLY = ("tag", "extract", "write", "text")  # kinds whose answers may be right in part, or more and less likely
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
    """The answers to one row, equal ones together, the expected one first; of a text, which has none, the scores alone."""
    scores = {method: row_score(reading, answer["score"]) for method, answer in row["answers"].items()}
    if not kind_of(reading.report["task"]["kind"]).answers:
        return [Said(output=score, methods=method, right=None, score="") for method, score in scores.items()]
    found: dict[tuple[str, bool | None], list[str]] = {}
    for method, answer in row["answers"].items():
        found.setdefault((answer["output"], answer["right"]), []).append(method)
    said = [
        Said(
            output=output,
            methods=", ".join(methods),
            right=right if right or decided(reading) else None,
            score=joined([scores[method] for method in methods]) if scores_rows(reading) else "",
        )
        for (output, right), methods in found.items()
    ]
    return sorted(said, key=lambda one: one.right is not True)


def joined(scores: Sequence[str]) -> str:
    """The scores of an answer that several methods gave: one where they agree."""
    return scores[0] if len(set(scores)) == 1 else ", ".join(scores)


def graded(reading: Reading) -> bool:
    """Whether a classification asks for grades."""
    return reading.report["task"]["kind"] == "classify" and not reading.report["task"].get("labels")


def decided(reading: Reading) -> bool:
    """Whether every answer is right or wrong."""
    return reading.report["task"]["kind"] in YES_OR_NO and not graded(reading)


def scores_rows(reading: Reading) -> bool:
    """Whether the score of an answer says more than right or wrong."""
    return reading.report["task"]["kind"] in PARTLY or graded(reading)


def row_score(reading: Reading, score: float) -> str:
    """The score of one answer, in the unit of what scores rows."""
    return reading.numbers.score(score, reading.report["metrics"][reading.report["rows"]["metric"]]["unit"])


def rows_remark(reading: Reading) -> str:
    """Which of several seeds is shown, and what the numbers beside answers are."""
    words = reading.words
    seeds = words("rows_seed") if any(len(method["seeds"]) > 1 for method in reading.report["methods"]) else ""
    metric = words.metric(reading.report["rows"]["metric"])
    return " ".join(part for part in (seeds, words("rows_score", metric=metric) if scores_rows(reading) else "") if part)


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
