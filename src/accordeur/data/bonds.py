"""Which rows belong together: clusters of rows that must not be on two sides of a split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from accordeur.data.journal import nearest, shown
from accordeur.data.keyed import Keyed, Names, numbered, twins
from accordeur.data.stored import Places
from accordeur.errors import DataError
from accordeur.example import Example, flatten

NO_GROUP = -1


class Clusters(NamedTuple):
    """Rows that stay together: `of` (rows,), the cluster of each row, numbered in the order in which they come.

    `names` (clusters,): the least key of the rows of each, which depends on their texts and groups only; `sizes`: rows.
    """

    of: Places
    names: Names
    sizes: Places


def bonded(part: Keyed, *, group: str | None = None) -> Clusters:
    """The clusters of some rows: linked by the same text (or context), by the same group, and by chains of both."""
    texts = numbered(part.bond)
    of = texts.of if group is None else linked(texts.of, grouped(part.rows, group, required=True))
    order = np.lexsort((part.bond, of))
    starts = np.flatnonzero(np.diff(of[order], prepend=-1))
    return Clusters(of, part.bond[order[starts]], np.bincount(of))


def linked(texts: Places, groups: Places) -> Places:
    """(rows,): the number of each row's set, where rows of one text or one group are in one set, and so on."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    size = int(texts.max()) + 1
    total = size + int(groups.max()) + 1
    links = coo_matrix((np.ones(len(texts), bool), (texts, groups + size)), shape=(total, total))
    _, sets = connected_components(links, directed=False)
    return numbered(sets[texts].astype(np.int64)).of


def grouped(rows: Sequence[Example], group: str, *, required: bool = False, known: dict[str, int] | None = None) -> Places:
    """(rows,): the number of each row's group, NO_GROUP where it has none; `known` keeps the numbers over several parts.

    Raises DataError for a row without a group where one is required.
    """
    numbers = {} if known is None else known
    values = (require_group(row, group) if required else group_of(row, group) for row in rows)
    found = (NO_GROUP if value is None else numbers.setdefault(value, len(numbers)) for value in values)
    return np.fromiter(found, np.int64, count=len(rows))


def group_of(example: Example, group: str) -> str | None:
    """The value of the group column as text, or None where the row has no such column or nothing in it."""
    value = example.extra.get(group, example.given.get(group))
    return None if value is None or value == "" else flatten(value)


def require_group(example: Example, group: str) -> str:
    """The value of the group column. Raises DataError where there is none."""
    value = group_of(example, group)
    if value is None:
        columns = [*example.extra, *example.given]
        found = f"the columns carried along are {shown(columns, 12)}"
        raise DataError(f"no value in the group column '{group}'{nearest(group, columns)}; {found}", where=example.place)
    return value


class Parted(NamedTuple):
    """The places of the rows that stay, of those left out, and of the twin of each of these among the others."""

    kept: Places
    left_out: Places
    twins: Places


def without(part: Keyed, other: Keyed, *, group: str | None = None) -> Parted:
    """Parts rows from those that another part repeats, or that have a group in common with it."""
    twin = twins(part.given, other.given)
    if group:
        known: dict[str, int] = {}
        theirs, mine = grouped(other.rows, group, known=known), grouped(part.rows, group, known=known)
        in_common = np.where(mine == NO_GROUP, -1, twins(mine, theirs))
        twin = np.where(twin < 0, in_common, twin)
    return Parted(np.flatnonzero(twin < 0), np.flatnonzero(twin >= 0), twin[twin >= 0])
