"""Metrics of tagged entities: the micro-averages of seqeval as sums over rows, and a table by type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accordeur.errors import NotApplicable
from accordeur.run import Answered
from accordeur.tasks._kind import Metric, Totals, ratio
from accordeur.tasks._schemes import OUTSIDE, entities, parts


def answered_tags(answer: Answered) -> tuple[list[str], list[str]]:
    """(expected, given) tags of a row, the given ones filled up with O or cut to the length of the row."""
    expected = list(answer.expected)
    given = list(answer.output) if isinstance(answer.output, list | tuple) else []
    return expected, (given + [OUTSIDE] * len(expected))[: len(expected)]


def entity_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Right entities (same type, same first and last token), entities given, entities expected, (rows, 3)."""
    table = np.zeros((len(answered), 3))
    for row, answer in enumerate(answered):
        expected, given = (set(entities(tags)) for tags in answered_tags(answer))
        table[row] = len(expected & given), len(given), len(expected)
    return table


def f1(totals: Totals) -> Totals:
    """2 TP / (given + expected), 0 where there are neither."""
    return quotient(2 * totals[..., 0], totals[..., 1] + totals[..., 2])


def precision(totals: Totals) -> Totals:
    """TP / given."""
    return quotient(totals[..., 0], totals[..., 1])


def recall(totals: Totals) -> Totals:
    """TP / expected."""
    return quotient(totals[..., 0], totals[..., 2])


def quotient(above: Totals, below: Totals) -> Totals:
    """A share, 0 where there is nothing to share."""
    return np.asarray(above / np.where(below > 0, below, 1))


def token_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Right tags and tokens of each row, (rows, 2)."""
    pairs = [answered_tags(answer) for answer in answered]
    return np.asarray([[sum(map(str.__eq__, *pair)), len(pair[0])] for pair in pairs], np.float64).reshape(-1, 2)


def repair_statistics(answered: Sequence[Answered], labels: Sequence[str]) -> Totals:
    """Tags that were repaired and tokens of each row, (rows, 2); the count stands in the answer's scores as `repaired`."""
    if any(answer.scores is None or "repaired" not in answer.scores for answer in answered):
        raise NotApplicable("this model's tags need no repair")
    return np.asarray([[(answer.scores or {})["repaired"], len(answer.expected)] for answer in answered], np.float64)


@dataclass(frozen=True, kw_only=True)
class EntityRow:
    """How one type of entity was found; shares are 0 where there is nothing to share."""

    kind: str
    precision: float = 0.0
    recall: float = 0.0
    f1: float = 0.0
    expected: int = 0
    given: int = 0


def entity_table(answered: Sequence[Answered]) -> list[EntityRow]:
    """Precision, recall, F1 and counts by type of entity, the most frequent first."""
    right: Counter[str] = Counter()
    given: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    for answer in answered:
        wanted, got = (set(entities(tags)) for tags in answered_tags(answer))
        right.update(entity.kind for entity in wanted & got)
        given.update(entity.kind for entity in got)
        expected.update(entity.kind for entity in wanted)
    rows = []
    for kind in sorted({*given, *expected}, key=lambda name: (-expected[name], name)):
        totals = np.asarray([right[kind], given[kind], expected[kind]], np.float64)
        rows.append(
            EntityRow(
                kind=kind,
                precision=float(precision(totals)),
                recall=float(recall(totals)),
                f1=float(f1(totals)),
                expected=expected[kind],
                given=given[kind],
            )
        )
    return rows


def entity_types(labels: Sequence[str]) -> list[str]:
    """The types that some tags are of."""
    return sorted({parts(label)[1] for label in labels} - {""})


def entity_texts(answer: Answered) -> tuple[str, str]:
    """(expected, given) entities of a row in its own words, `Ada Lovelace: PER; London: LOC`; nothing where there are none."""
    expected, given = answered_tags(answer)
    return entity_text(expected, answer.given), entity_text(given, answer.given)


def entity_text(tags: Sequence[str], text: str) -> str:
    """The entities in words; the tags themselves where the text is not one of so many tokens with spaces between them."""
    tokens = text.split(" ")
    if len(tokens) != len(tags):
        return " ".join(tags)
    return spelled(tags, tokens)


def spelled(tags: Sequence[str], tokens: Sequence[str]) -> str:
    """The entities of some tokens in order, as `entity: type; …`."""
    return "; ".join(f"{' '.join(tokens[start:stop])}: {kind}" for kind, start, stop in entities(tags))


ENTITY_METRICS = (
    Metric(name="entity_f1", statistics=entity_statistics, finish=f1),
    Metric(name="entity_precision", statistics=entity_statistics, finish=precision),
    Metric(name="entity_recall", statistics=entity_statistics, finish=recall),
    Metric(name="token_accuracy", statistics=token_statistics, finish=ratio, tolerance=0.01),
    Metric(name="repairs", statistics=repair_statistics, finish=ratio, higher_is_better=False),
)
