"""Recognises what kind of task a file holds from its columns, and says how it was read."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accordeur.data.columns import CANONICAL, FORMS, GRADED_TEXT, LANGUAGES, LISTS, TEXT, Form, Names
from accordeur.data.journal import nearest, shown
from accordeur.errors import DataError

KIND_WORDS = {
    "classify": "a label for a text",
    "tag": "a tag for each token",
    "extract": "an answer span in a context",
    "write": "a text for a text",
    "prefer": "a chosen and a rejected answer",
    "text": "raw text",
}
DROPPED = ""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How rows are read. `columns`: canonical name to column; `extra`: columns carried along; `form`: the layout's name."""

    kind: str
    form: str
    columns: Mapping[str, str]
    extra: tuple[str, ...]
    reading: str


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One possible reading: a form and the column for each of its canonical names."""

    form: Form
    columns: dict[str, str]


def recognise(values: Mapping[str, Any], mapping: Mapping[str, str] | None = None, *, where: str = "") -> Shape:
    """The shape of rows like this first one (values by column).

    The most specific form whose columns are there wins; `mapping` (canonical name to column) decides what it names, and
    an empty column name keeps a canonical name from being used. Raises DataError where no form fits, or two equally.
    """
    wanted = dict(mapping or {})
    require_mapping(wanted, values, where)
    found = [candidate for form in forms(values, wanted) for candidate in candidates(form, values, wanted)]
    if not found:
        raise unknown(values, wanted, where)
    rank = min(candidate.form.rank for candidate in found)
    best = distinct([candidate for candidate in found if candidate.form.rank == rank])
    if len(best) > 1:
        raise ambiguous(best, where)
    return shape_of(best[0], values)


def distinct(found: list[Candidate]) -> list[Candidate]:
    """Each way of reading once, though several forms may come to it."""
    seen = {(candidate.form.name, *sorted(candidate.columns.items())): candidate for candidate in reversed(found)}
    return list(reversed(seen.values()))


def require_mapping(wanted: Mapping[str, str], values: Mapping[str, Any], where: str) -> None:
    """Refuses a mapping from an unknown name or to a missing column."""
    for name, column in wanted.items():
        if name not in CANONICAL:
            known = ", ".join(CANONICAL)
            raise DataError(f"can't map '{name}'{nearest(name, CANONICAL)}; expected one of {known}", where=where)
        if column != DROPPED and column not in values:
            found = f"the columns are {shown(values, 12)}"
            raise DataError(f"no column '{column}' for {name}{nearest(column, values)}; {found}", where=where)


def forms(values: Mapping[str, Any], wanted: Mapping[str, str]) -> list[Form]:
    """Every form to try, with the two-language one where two columns are named as languages."""
    codes = [column for column in values if column.casefold() in LANGUAGES and column not in wanted.values()]
    known = [*FORMS, GRADED_TEXT] if "score" in wanted else list(FORMS)
    if len(codes) != 2 or {"source", "target"} & wanted.keys():
        return known
    needs = {"source": (codes[0],), "target": (codes[1],)}
    return [*known, Form(name="source", kind="write", rank=10, needs=needs, may={}, example="en + fr")]


def candidates(form: Form, values: Mapping[str, Any], wanted: Mapping[str, str]) -> list[Candidate]:
    """The ways in which columns fill a form: none, one, or several where names tie."""
    asked = {name for name, column in wanted.items() if column != DROPPED}
    if not asked <= form.needs.keys() | form.may.keys():
        return []
    options = {name: named(name, form.needs, values, wanted) for name in form.needs}
    options = {name: [column for column in found if fits(form, name, values[column])] for name, found in options.items()}
    optional = {name: named(name, form.may, values, wanted)[:1] for name in form.may}
    optional = {name: found for name, found in optional.items() if found}
    choices = itertools.product(*options.values())
    fixed = {name: found[0] for name, found in optional.items()}
    filled = [Candidate(form=form, columns={**dict(zip(options, choice, strict=True)), **fixed}) for choice in choices]
    return [candidate for candidate in filled if len(set(candidate.columns.values())) == len(candidate.columns)]


def named(name: str, names: Names, values: Mapping[str, Any], wanted: Mapping[str, str]) -> list[str]:
    """The columns that may stand for a canonical name: the mapped one, else the canonical, else all aliases present."""
    if name in wanted:
        return [wanted[name]] if wanted[name] != DROPPED else []
    free = {column.strip().casefold(): column for column in reversed(list(values)) if column not in wanted.values()}
    free.update({column: column for column in values if column not in wanted.values()})
    present = [free[alias] for alias in names[name] if alias in free]
    return present[:1] if names[name][0] in free else present


def fits(form: Form, name: str, value: Any) -> bool:
    """Whether a column's first value can be what a form takes it for, where a list or a text makes the difference."""
    if name in LISTS:
        return isinstance(value, list)
    if name == "answers":
        return isinstance(value, list | dict) if form.kind == "extract" else isinstance(value, list)
    if name == "label":
        return not isinstance(value, list | dict)
    return True


def shape_of(candidate: Candidate, values: Mapping[str, Any]) -> Shape:
    """The shape of the reading that won, with the sentence that shows it."""
    columns = candidate.columns
    extra = tuple(column for column in values if column not in columns.values())
    used = ", ".join(name if name == column else f"{name} from '{column}'" for name, column in columns.items())
    reading = f"{candidate.form.kind} ({KIND_WORDS[candidate.form.kind]}): {used}"
    others = [column for column in extra if column != "id"]
    reading += f"; carried along: {shown(others, 8)}" if others else ""
    if candidate.form.kind == "text" and others:
        reading += f" (to predict a column instead: --map label={others[0]})"
    return Shape(kind=candidate.form.kind, form=candidate.form.name, columns=columns, extra=extra, reading=reading)


def ambiguous(best: list[Candidate], where: str) -> DataError:
    """The error for readings that are equally good: each with the mapping that decides for it."""
    readings = []
    for candidate in best:
        others = [other.columns for other in best if other is not candidate]
        decisive = {
            name: column for name, column in candidate.columns.items() if any(other.get(name) != column for other in others)
        }
        option = ",".join(f"{name}={column}" for name, column in decisive.items())
        readings.append(f"{candidate.form.kind}: --map {option}")
    lines = "".join(f"\n  {reading}" for reading in readings)
    return DataError(f"the columns can be read in {len(best)} ways:{lines}", where=where, hint="choose one with --map")


def unknown(values: Mapping[str, Any], wanted: Mapping[str, str], where: str) -> DataError:
    """The error for columns that make no known shape: what there is, what was expected, and the nearest names."""
    aliases = {alias for form in FORMS for names in form.needs.values() for alias in names}
    close = [f"'{column}'{near}" for column in values if column not in aliases and (near := nearest(column, aliases))]
    expected = "; ".join(dict.fromkeys(form.example for form in FORMS))
    message = f"the columns make no known shape: {shown(map(repr, values), 12)}"
    message += f" with --map {','.join(f'{name}={column}' for name, column in wanted.items())}" if wanted else ""
    message += f"; {shown(close)}" if close else ""
    message += f"; expected one of: {expected}"
    hint = "name the columns with --map, such as --map label=stars,text=body"
    if headless(values, where):
        hint += "; if this is the first row of data, the file lacks a header: add one, such as text,label"
    return DataError(message, where=where, hint=hint)


def headless(values: Mapping[str, Any], where: str) -> bool:
    """Whether the column names of a table may be its first row: none is a known name."""
    table = any(ending in where for ending in (".csv", ".tsv", ".tab", ".psv"))
    return table and not any(column.casefold() in (*TEXT, "id") for column in values)
