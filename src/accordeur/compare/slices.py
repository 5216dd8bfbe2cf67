"""The columns by whose values the scores are broken down: the values of the test rows, kept for the report."""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.errors import RecipeError
from accordeur.example import Example, flatten
from accordeur.method import nearest

LONGEST = 60  # letters of a value that are kept


def slice_values(columns: Sequence[str], test: Sequence[Example]) -> dict[str, list[str | None]]:
    """The value of every test row in each column, in the order of the rows; None where a row has none.

    Raises RecipeError for a column that no test row carries along.
    """
    known = list(dict.fromkeys(name for row in test for name in row.extra))
    for column in columns:
        if column not in known:
            hint = nearest(column, known) if known else "the rows carry no column besides those that are read"
            raise RecipeError(f"no column {column!r} of the test rows to slice by", hint=hint)
    return {column: [value_of(row, column) for row in test] for column in columns}


def value_of(row: Example, column: str) -> str | None:
    """A value as text, cut; None where there is none."""
    value = row.extra.get(column)
    text = "" if value is None else flatten(value).strip()
    return (text if len(text) <= LONGEST else text[: LONGEST - 1] + "…") or None
