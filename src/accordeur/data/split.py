"""Train, validation and test: the same for the same seed, whatever the order of the rows, and no text on two sides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from accordeur.data.bonds import Clusters, bonded, without
from accordeur.data.journal import shown
from accordeur.data.keyed import Keyed, expected_of, keyed
from accordeur.data.normal import KEY_BYTES
from accordeur.data.stored import Places
from accordeur.errors import DataError, Problem
from accordeur.example import Example

MIN_ROWS = 10
PARTS = ("test", "validation")
RARE_HINT = "add rows to these classes, merge them, or remove them; if these are grades, not classes: --map score=<the column>"


@dataclass(frozen=True, kw_only=True)
class SplitRule:
    """How rows are divided where no file says it. Shares are of all rows; the caps are in rows.

    `group`: a column whose equal values stay together. `contiguous`: the rows follow one another (a raw text), so the
    end is kept for the test and what stands before it for validation.
    """

    seed: int = 0
    test: float = 0.20
    validation: float = 0.15
    most_test: int = 5000
    most_validation: int = 2000
    group: str | None = None
    contiguous: bool = False

    def share(self, part: str, rows: int) -> float:
        """The share of `rows` rows that a part gets."""
        wanted, most = (self.test, self.most_test) if part == "test" else (self.validation, self.most_validation)
        return min(wanted, most / max(rows, 1))


class Dropped(NamedTuple):
    """Rows of one part that were left out, and beside each the row of another part that it repeats."""

    rows: Sequence[Example]
    twins: Sequence[Example]


@dataclass(frozen=True, kw_only=True)
class Splits:
    """The three parts, and the training or validation rows that were left out to keep them apart."""

    train: Sequence[Example]
    validation: Sequence[Example]
    test: Sequence[Example]
    notes: tuple[str, ...] = ()
    left_out: tuple[Dropped, ...] = ()

    def parts(self) -> dict[str, Sequence[Example]]:
        """The parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def dropped(self) -> Iterator[tuple[Example, Example]]:
        """(row left out, row that it repeats), one after the other."""
        for found in self.left_out:
            yield from zip(found.rows, found.twins, strict=True)


@dataclass
class _Draft:
    """The parts while they are made."""

    kind: str
    rule: SplitRule
    parts: dict[str, Keyed]
    notes: list[str] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)


def split(
    examples: Sequence[Example],
    *,
    kind: str,
    rule: SplitRule | None = None,
    test: Sequence[Example] | None = None,
    validation: Sequence[Example] | None = None,
) -> Splits:
    """Divides examples into train, validation and test; `test` and `validation` are taken as they are where given.

    Classes are spread evenly over the parts, at least one row each. Rows with the same text (case, white space and
    composition of characters aside), the same group, or for extract the same context stay in one part. Training rows
    that a given part repeats are left out and noted. Raises DataError where an honest split can't be made.
    """
    given = {"train": examples, "test": test, "validation": validation}
    parts = {part: keyed(rows, kind) for part, rows in given.items() if rows is not None}
    draft = _Draft(kind=kind, rule=rule or SplitRule(), parts=parts)
    _require_labels(draft)
    _drop_repeated(draft)
    missing = [part for part in PARTS if part not in draft.parts]
    if missing:
        _require_rows(draft, missing)
        _carve_end(draft, missing) if draft.rule.contiguous else _carve(draft, missing)
    _require_known(draft)
    done = {part: held.rows for part, held in draft.parts.items()}
    return Splits(**done, notes=tuple(draft.notes), left_out=tuple(draft.dropped))


def is_classes(kind: str, examples: Sequence[Example]) -> bool:
    """Whether the expected values are classes, and not grades or texts."""
    return kind == "classify" and all(isinstance(example.expected, str) for example in examples[:1])


class Labelled(NamedTuple):
    """Rows by label: `labels` by alphabet, `of` (rows,) the number of each row's label."""

    labels: tuple[str, ...]
    of: Places


def labelled(rows: Sequence[Example]) -> Labelled:
    """The labels of some rows."""
    seen: dict[str, int] = {}
    found = np.fromiter((seen.setdefault(str(label), len(seen)) for label in expected_of(rows)), np.int64, count=len(rows))
    labels = tuple(sorted(seen))
    rank = np.empty(len(labels), np.int64)
    rank[[seen[label] for label in labels]] = np.arange(len(labels))
    return Labelled(labels, rank[found])


def _require_labels(draft: _Draft) -> None:
    train = draft.parts["train"].rows
    if not train:
        raise DataError("0 rows to train on")
    if is_classes(draft.kind, train):
        labels = set(expected_of(train))
        if len(labels) == 1:
            message = f"every row has the label {next(iter(labels))!r}; expected at least two labels"
            raise DataError(message, where=train[0].file, hint="is the right column the label? choose it with --map label=…")


def _drop_repeated(draft: _Draft) -> None:
    """Leaves out of train what a given part repeats, and of a given validation what a given test repeats."""
    order = [("validation", "test"), ("train", "test"), ("train", "validation")]
    for part, other in order:
        if part not in draft.parts or other not in draft.parts:
            continue
        mine, theirs = draft.parts[part], draft.parts[other]
        found = without(mine, theirs, group=draft.rule.group)
        if not len(found.left_out):
            continue
        left_out = Dropped(mine.take(found.left_out).rows, theirs.take(found.twins).rows)
        draft.dropped.append(left_out)
        count = len(found.left_out)
        places = shown(
            (f"{row.place} = {twin.place}" for row, twin in zip(*(rows[:4] for rows in left_out), strict=True)), 3, count
        )
        draft.notes.append(f"{count} {part} rows left out, because the {other} rows hold them too: {places}")
        if not len(found.kept):
            raise DataError(f"no {part} rows are left: all of them are also {other} rows", hint=f"give other {other} rows")
        draft.parts[part] = mine.take(found.kept)


def _require_rows(draft: _Draft, missing: list[str]) -> None:
    """Refuses too few rows, and classes too small to be in every part."""
    train = draft.parts["train"]
    if len(train) < MIN_ROWS:
        message = f"{rows_of(len(train), '')} can't be split; at least {MIN_ROWS} are needed"
        hint = f"give more rows, or files of your own for {' and '.join(missing)}"
        raise DataError(message, where=train.rows[0].file, hint=hint)
    if not is_classes(draft.kind, train.rows):
        return
    need = len(missing) + 1
    labels, of = labelled(train.rows)
    clusters = bonded(train)
    pairs = np.unique(of * len(clusters.names) + clusters.of)  # each label with each cluster that has it, once
    distinct = np.bincount(pairs // len(clusters.names), minlength=len(labels))
    _, first = np.unique(of, return_index=True)
    rare = sorted(np.flatnonzero(distinct < need).tolist(), key=lambda label: int(first[label]))
    rows = [train.rows[int(first[label])] for label in rare]
    problems = [
        Problem(file=row.file, line=row.line, message=f"class {labels[label]!r} has {rows_of(int(distinct[label]))}")
        for row, label in zip(rows, rare, strict=True)
    ]
    if problems:
        message = f"{len(rare)} of {len(labels)} classes have fewer than {need} different rows, one for each part of the data"
        raise DataError(message, hint=RARE_HINT, problems=problems)


def rows_of(count: int, what: str = "different ") -> str:
    """`1 different row` or `2 different rows`."""
    return f"{count} {what}row{'s' * (count != 1)}"


def _carve_end(draft: _Draft, missing: list[str]) -> None:
    """Takes the last rows as test and those before as validation; then no passage may stand on two sides."""
    whole = draft.parts["train"]
    rows = end = len(whole)
    for part in missing:
        start = end - max(1, round(draft.rule.share(part, rows) * rows))
        draft.parts[part] = whole.take(np.arange(start, end))
        end = start
    draft.parts["train"] = whole.take(np.arange(end))
    _drop_repeated(draft)


def _carve(draft: _Draft, missing: list[str]) -> None:
    """Draws the missing parts from train, class by class, whole clusters at a time."""
    whole = draft.parts["train"]
    clusters = bonded(whole, group=draft.rule.group)
    if len(clusters.names) <= len(missing):
        what = f"groups of '{draft.rule.group}'" if draft.rule.group else "different rows"
        message = f"{len(clusters.names)} {what} can't be divided into {len(missing) + 1} parts"
        raise DataError(message, where=whole.rows[0].file)
    strata = common_labels(whole, clusters) if is_classes(draft.kind, whole.rows) else np.zeros(len(clusters.names), np.int64)
    lots = np.fromiter((lot(name, draft.rule.seed) for name in clusters.names.tolist()), np.uint64, count=len(clusters.names))
    part_of = np.zeros(len(clusters.names), np.int64)  # 0 for train, else the place in `missing` from 1
    for stratum in range(int(strata.max()) + 1):
        rest = np.flatnonzero(strata == stratum)
        rest = rest[np.argsort(lots[rest], kind="stable")]
        rows = int(clusters.sizes[rest].sum())
        for place, part in enumerate(missing):
            share = draft.rule.share(part, len(whole))
            fits = take(clusters.sizes[rest].tolist(), share * rows, keep=len(missing) - place)
            part_of[rest[fits]] = place + 1
            rest = rest[~fits]
    for place, part in enumerate(("train", *missing)):
        draft.parts[part] = whole.take(np.flatnonzero(part_of[clusters.of] == place))
    _note_bonds(draft, clusters)


def take(sizes: list[int], target: float, keep: int) -> npt.NDArray[np.bool_]:
    """Which clusters are taken: in order while they fit into `target` rows, at least one, and `keep` left at least."""
    taken = np.zeros(len(sizes), bool)
    count = rows = 0
    for place, size in enumerate(sizes):
        if rows + size <= round(target) and len(sizes) - count > keep:
            taken[place] = True
            count, rows = count + 1, rows + size
    if not count and len(sizes) > keep:
        taken[sizes.index(min(sizes))] = True
    return taken


def lot(name: bytes, seed: int) -> int:
    """The place of a cluster in the draw: it depends on its texts and the seed, not on where its rows stand."""
    whole = name.ljust(KEY_BYTES, b"\0")  # arrays of bytes lose the zeros at the end
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8, key=str(seed).encode()[:64]).digest())


def common_labels(part: Keyed, clusters: Clusters) -> Places:
    """(clusters,): the number of the label of most rows of each; of equals, the first by alphabet."""
    labels, of = labelled(part.rows)
    pairs, counts = np.unique(clusters.of * len(labels) + of, return_counts=True)
    cluster, label = np.divmod(pairs, len(labels))
    order = np.lexsort((label, -counts, cluster))
    return np.asarray(label[order[np.flatnonzero(np.diff(cluster[order], prepend=-1))]])


def _note_bonds(draft: _Draft, clusters: Clusters) -> None:
    kept = int(clusters.sizes[clusters.sizes > 1].sum())
    if kept:
        bond = f"'{draft.rule.group}' or " * bool(draft.rule.group) + ("context" if draft.kind == "extract" else "text")
        draft.notes.append(f"{kept} rows have the same {bond} as others, and stay in one part with them")


def _require_known(draft: _Draft) -> None:
    """Refuses labels in test or validation that no training row has, with the lines."""
    if not is_classes(draft.kind, draft.parts["train"].rows):
        return
    known = set(expected_of(draft.parts["train"].rows))
    problems = []
    for part in PARTS:
        rows = draft.parts[part].rows
        strangers = [rows[place] for place, label in enumerate(expected_of(rows)) if label not in known]
        message = f"the {part} label {{}} is in no training row"
        problems += [Problem(file=row.file, line=row.line, message=message.format(repr(row.expected))) for row in strangers]
    if problems:
        why = f"; all their other rows share their '{draft.rule.group}' or text" if draft.rule.group else ""
        message = f"{len(problems)} rows have labels that can't be learned{why}; the training labels: {shown(sorted(known), 12)}"
        raise DataError(message, hint="add training rows with these labels, or remove the rows", problems=problems)
