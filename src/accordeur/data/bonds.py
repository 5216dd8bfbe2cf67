"""Which rows belong together: clusters of rows that must not be on two sides of a split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from accordeur.data.journal import nearest, shown
from accordeur.data.normal import Keys, key_of
from accordeur.errors import DataError
from accordeur.example import Example, flatten


class Cluster(NamedTuple):
    """Rows that stay together. `name` depends on their texts and groups only, not on their order."""

    name: bytes
    rows: list[Example]


def bonded(examples: Sequence[Example], keyring: Keys, *, group: str | None = None) -> list[Cluster]:
    """The clusters of some rows: linked by the same text (or context), by the same group, and by chains of both."""
    keys = [keyring.bond(example) for example in examples]
    if group is None:
        return _by_root(examples, keys, keys)
    roots = Union()
    for example, key in zip(examples, keys, strict=True):
        roots.join(key, key_of(["group", require_group(example, group)]))
    return _by_root(examples, [roots.root(key) for key in keys], keys)


def _by_root(examples: Sequence[Example], roots: Iterable[Hashable], keys: list[bytes]) -> list[Cluster]:
    members: dict[Any, list[Example]] = defaultdict(list)
    names: dict[Any, bytes] = {}
    for example, root, key in zip(examples, roots, keys, strict=True):
        members[root].append(example)
        names[root] = min(names.get(root, key), key)
    return [Cluster(names[root], rows) for root, rows in members.items()]


class Union:
    """Disjoint sets of keys (union-find with path halving)."""

    def __init__(self) -> None:
        self.parent: dict[bytes, bytes] = {}

    def root(self, key: bytes) -> bytes:
        """The key that stands for the set of this one."""
        self.parent.setdefault(key, key)
        while self.parent[key] != key:
            self.parent[key] = self.parent[self.parent[key]]
            key = self.parent[key]
        return key

    def join(self, one: bytes, other: bytes) -> None:
        """Makes one set of two."""
        self.parent[self.root(one)] = self.root(other)


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


Pairs = list[tuple[Example, Example]]


def without(
    rows: Sequence[Example], others: Sequence[Example], keyring: Keys, *, group: str | None = None
) -> tuple[list[Example], Pairs]:
    """(the rows that `others` neither repeat nor have a group in common with, the rows left out with their twins)."""
    keys = {keyring.given(other): other for other in reversed(others)}
    groups = {group_of(other, group): other for other in reversed(others)} if group else {}
    groups.pop(None, None)
    kept: list[Example] = []
    pairs: Pairs = []
    for row in rows:
        twin = keys.get(keyring.given(row)) or (groups.get(group_of(row, group)) if group else None)
        if twin is None:
            kept.append(row)
        else:
            pairs.append((row, twin))
    return kept, pairs
