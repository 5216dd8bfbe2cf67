"""A row as it stands in a file: where it is, and its values by column."""

from __future__ import annotations

from typing import Any, NamedTuple

from accordeur.data.journal import Journal, nearest, shown


class Row(NamedTuple):
    """One row. `line` is the line where it starts (the row number in a Parquet file), from 1."""

    file: str
    line: int
    values: dict[str, Any]


def same_columns(row: Row, first: Row, journal: Journal) -> bool:
    """Whether a row has the keys of the first row; reports those it lacks and those it should not have."""
    if row.values.keys() == first.values.keys():
        return True
    lacking = [key for key in first.values if key not in row.values]
    extra = [key for key in row.values if key not in first.values]
    parts = [f"lacks {shown(map(repr, lacking))}"] if lacking else []
    parts += [f"has an unknown key '{key}'{nearest(key, lacking or first.values)}" for key in extra[:3]]
    journal.problem(row.file, row.line, f"{' and '.join(parts)}; the first row (line {first.line}) has {shown(first.values, 12)}")
    return False
