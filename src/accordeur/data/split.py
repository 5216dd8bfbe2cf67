"""Train, validation and test: the same for the same seed, whatever the order of the rows, and no text on two sides."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from accordeur.data.bonds import Cluster, bonded, without
from accordeur.data.journal import shown
from accordeur.data.normal import Keys
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


@dataclass(frozen=True, kw_only=True)
class Splits:
    """The three parts, and the (training or validation row, row it repeats) pairs that were left out to keep them apart."""

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]
    notes: tuple[str, ...] = ()
    dropped: tuple[tuple[Example, Example], ...] = ()

    def parts(self) -> dict[str, tuple[Example, ...]]:
        """The parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


@dataclass
class _Draft:
    """The parts while they are made."""

    kind: str
    rule: SplitRule
    keys: Keys
    parts: dict[str, Sequence[Example]]
    notes: list[str] = field(default_factory=list)
    dropped: list[tuple[Example, Example]] = field(default_factory=list)


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
    draft = _Draft(kind=kind, rule=rule or SplitRule(), keys=Keys(kind), parts={"train": list(examples)})
    given: dict[str, Sequence[Example] | None] = {"test": test, "validation": validation}
    draft.parts.update({part: list(rows) for part, rows in given.items() if rows is not None})
    _require_labels(draft)
    _drop_repeated(draft)
    missing = [part for part in PARTS if part not in draft.parts]
    if missing:
        _require_rows(draft, missing)
        _carve_end(draft, missing) if draft.rule.contiguous else _carve(draft, missing)
    _require_known(draft)
    done = {part: tuple(rows) for part, rows in draft.parts.items()}
    return Splits(**done, notes=tuple(draft.notes), dropped=tuple(draft.dropped))


def is_classes(kind: str, examples: Sequence[Example]) -> bool:
    """Whether the expected values are classes, and not grades or texts."""
    return kind == "classify" and all(isinstance(example.expected, str) for example in examples[:1])


def _require_labels(draft: _Draft) -> None:
    train = draft.parts["train"]
    if not train:
        raise DataError("0 rows to train on")
    if is_classes(draft.kind, train):
        labels = {example.expected for example in train}
        if len(labels) == 1:
            message = f"every row has the label {next(iter(labels))!r}; expected at least two labels"
            raise DataError(message, where=train[0].file, hint="is the right column the label? choose it with --map label=…")


def _drop_repeated(draft: _Draft) -> None:
    """Leaves out of train what a given part repeats, and of a given validation what a given test repeats."""
    order = [("validation", "test"), ("train", "test"), ("train", "validation")]
    for part, other in order:
        if part not in draft.parts or other not in draft.parts:
            continue
        kept, pairs = without(draft.parts[part], draft.parts[other], draft.keys, group=draft.rule.group)
        draft.parts[part] = kept
        draft.dropped += pairs
        if pairs:
            places = shown((f"{row.place} = {twin.place}" for row, twin in pairs), 3)
            draft.notes.append(f"{len(pairs)} {part} rows left out, because the {other} rows hold them too: {places}")
        if not kept:
            raise DataError(f"no {part} rows are left: all of them are also {other} rows", hint=f"give other {other} rows")


def _require_rows(draft: _Draft, missing: list[str]) -> None:
    """Refuses too few rows, and classes too small to be in every part."""
    train = draft.parts["train"]
    if len(train) < MIN_ROWS:
        message = f"{rows_of(len(train), '')} can't be split; at least {MIN_ROWS} are needed"
        hint = f"give more rows, or files of your own for {' and '.join(missing)}"
        raise DataError(message, where=train[0].file, hint=hint)
    if not is_classes(draft.kind, train):
        return
    need = len(missing) + 1
    distinct: dict[str, set[bytes]] = defaultdict(set)
    first: dict[str, Example] = {}
    for cluster in bonded(train, draft.keys):
        for example in cluster.rows:
            distinct[example.expected].add(cluster.name)
            first.setdefault(example.expected, example)
    rare = [label for label, names in distinct.items() if len(names) < need]
    problems = [
        Problem(file=first[label].file, line=first[label].line, message=f"class {label!r} has {rows_of(len(distinct[label]))}")
        for label in rare
    ]
    if problems:
        message = f"{len(rare)} of {len(distinct)} classes have fewer than {need} different rows, one for each part of the data"
        raise DataError(message, hint=RARE_HINT, problems=problems)


def rows_of(count: int, what: str = "different ") -> str:
    """`1 different row` or `2 different rows`."""
    return f"{count} {what}row{'s' * (count != 1)}"


def _carve_end(draft: _Draft, missing: list[str]) -> None:
    """Takes the last rows as test and those before as validation; then no passage may stand on two sides."""
    rest = list(draft.parts["train"])
    rows = len(rest)
    for part in missing:
        size = max(1, round(draft.rule.share(part, rows) * rows))
        draft.parts[part] = rest[-size:]
        rest = rest[:-size]
    draft.parts["train"] = rest
    _drop_repeated(draft)


def _carve(draft: _Draft, missing: list[str]) -> None:
    """Draws the missing parts from train, class by class, whole clusters at a time."""
    rows = draft.parts["train"]
    classes = is_classes(draft.kind, rows)
    clusters = bonded(rows, draft.keys, group=draft.rule.group)
    if len(clusters) <= len(missing):
        what = f"groups of '{draft.rule.group}'" if draft.rule.group else "different rows"
        raise DataError(f"{len(clusters)} {what} can't be divided into {len(missing) + 1} parts", where=rows[0].file)
    strata: dict[str, list[Cluster]] = defaultdict(list)
    for cluster in clusters:
        strata[common_label(cluster) if classes else ""].append(cluster)
    part_of: dict[int, str] = {}
    for stratum in strata.values():
        rest = sorted(stratum, key=lambda cluster: lot(cluster.name, draft.rule.seed))
        for place, part in enumerate(missing):
            share = draft.rule.share(part, len(rows))
            taken, rest = take(rest, share * sum(len(cluster.rows) for cluster in stratum), keep=len(missing) - place)
            part_of.update({id(example): part for cluster in taken for example in cluster.rows})
    for part in ("train", *missing):
        draft.parts[part] = [example for example in rows if part_of.get(id(example), "train") == part]
    _note_bonds(draft, clusters)


def take(clusters: list[Cluster], target: float, keep: int) -> tuple[list[Cluster], list[Cluster]]:
    """(taken, rest): clusters in order while they fit into `target` rows, at least one, and `keep` left at least."""
    taken: list[Cluster] = []
    rest: list[Cluster] = []
    rows = 0
    for cluster in clusters:
        fits = rows + len(cluster.rows) <= round(target) and len(clusters) - len(taken) > keep
        (taken if fits else rest).append(cluster)
        rows += len(cluster.rows) * fits
    if not taken and len(clusters) > keep:
        smallest = min(range(len(rest)), key=lambda at: len(rest[at].rows))
        taken.append(rest.pop(smallest))
    return taken, rest


def lot(name: bytes, seed: int) -> bytes:
    """The place of a cluster in the draw: it depends on its texts and the seed, not on where its rows stand."""
    return hashlib.blake2b(name, digest_size=8, key=str(seed).encode()[:64]).digest()


def common_label(cluster: Cluster) -> str:
    """The label of most rows of a cluster; of equals, the first by alphabet."""
    counts = Counter(str(example.expected) for example in cluster.rows)
    return min(counts, key=lambda label: (-counts[label], label))


def _note_bonds(draft: _Draft, clusters: list[Cluster]) -> None:
    kept = sum(len(cluster.rows) for cluster in clusters if len(cluster.rows) > 1)
    if kept:
        bond = f"'{draft.rule.group}' or " * bool(draft.rule.group) + ("context" if draft.kind == "extract" else "text")
        draft.notes.append(f"{kept} rows have the same {bond} as others, and stay in one part with them")


def _require_known(draft: _Draft) -> None:
    """Refuses labels in test or validation that no training row has, with the lines."""
    if not is_classes(draft.kind, draft.parts["train"]):
        return
    known = {example.expected for example in draft.parts["train"]}
    problems = []
    for part in PARTS:
        strangers = [example for example in draft.parts[part] if example.expected not in known]
        message = f"the {part} label {{}} is in no training row"
        problems += [Problem(file=row.file, line=row.line, message=message.format(repr(row.expected))) for row in strangers]
    if problems:
        why = f"; all their other rows share their '{draft.rule.group}' or text" if draft.rule.group else ""
        message = f"{len(problems)} rows have labels that can't be learned{why}; the training labels: {shown(sorted(known), 12)}"
        raise DataError(message, hint="add training rows with these labels, or remove the rows", problems=problems)
