"""Single rows side by side: the hardest ones, those on which methods differ, and which labels are taken for which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.report.format import Formatter, cut
from accordeur.report.scores import CORRELATIONS, Scored, Totals, statistics
from accordeur.run import Answered
from accordeur.tasks import Kind, Metric
from accordeur.tasks._answers import answer_text
from accordeur.tasks._entities import entity_texts

SHOWN_ROWS = 6
SHOWN_PAIRS = 12
SHOWN_LETTERS = 400
MATRIX_LABELS = 16
# kind: the metric that is 1 on a row exactly where its answer is right; a raw text has no answer
RIGHT = {
    "classify": "accuracy",
    "tag": "token_accuracy",
    "extract": "exact_match",
    "write": "exact_match",
    "prefer": "pair_accuracy",
}


@dataclass(frozen=True, kw_only=True)
class First:
    """What the first seed of a method answered, the score of every row alone, and which answers are right (if any can be)."""

    answers: Sequence[Answered]
    scores: Totals
    right: npt.NDArray[np.bool_] | None


def telling_rows(groups: Mapping[str, Sequence[Scored]], kind: Kind, primary: Metric, numbers: Formatter) -> dict[str, Any]:
    """`hardest`: the rows with the lowest mean score; `split`: those on which methods differ most. Answers of the first seeds.

    Rows that every one of these answers has right are left out. `metric` names what scores a row: the primary metric, or
    where that is a correlation, which says nothing of a single row, the error.
    """
    metric = kind.metric("mae") if primary.name in CORRELATIONS else primary
    able = seeing(groups, metric)
    if not able:
        return {"metric": metric.name, "hardest": [], "split": []}
    table = np.asarray([np.mean([row_scores(scored, metric) for scored in group], axis=0) for group in able.values()])
    goodness = table if metric.higher_is_better else -table
    firsts = {name: first_of(group[0], kind, metric) for name, group in able.items()}
    known = [first.right for first in firsts.values() if first.right is not None]
    done = np.all(known, axis=0) if known else np.zeros(table.shape[1], bool)
    mean, spread = goodness.mean(axis=0), goodness.std(axis=0)
    hard = [int(row) for row in np.argsort(mean, kind="stable") if not done[row] and mean[row] < goodness.max()][:SHOWN_ROWS]
    differing = [int(row) for row in np.argsort(-spread, kind="stable") if not done[row] and spread[row] > 0]
    return {
        "metric": metric.name,
        "hardest": [side_by_side(row, firsts, kind, numbers) for row in hard],
        "split": [side_by_side(row, firsts, kind, numbers) for row in differing if row not in hard][:SHOWN_ROWS],
    }


def seeing(groups: Mapping[str, Sequence[Scored]], metric: Metric) -> dict[str, Sequence[Scored]]:
    """The methods that have a metric. The floor (height 0) answers without looking: it stands aside where there are others."""
    able = {name: group for name, group in groups.items() if group and all(metric.name in scored.test for scored in group)}
    return {name: group for name, group in able.items() if group[0].record.run.height > 0} or able


def row_scores(scored: Scored, metric: Metric) -> Totals:
    """The score of every row alone, (rows,); where there is nothing to score (no entity, and none given) all is well."""
    table = scored.test[metric.name]
    return np.where(table.any(axis=-1), metric.finish(table), float(metric.higher_is_better))


def first_of(scored: Scored, kind: Kind, metric: Metric) -> First:
    """One run as it is shown."""
    right = None
    if kind.name in RIGHT:
        exact = kind.metric(RIGHT[kind.name])
        found = scored.test.get(exact.name)
        found = statistics(scored.record.test, [exact], ()).get(exact.name) if found is None else found
        right = None if found is None else exact.finish(found) == 1
    return First(answers=scored.record.test, scores=row_scores(scored, metric), right=right)


def side_by_side(row: int, firsts: Mapping[str, First], kind: Kind, numbers: Formatter) -> dict[str, Any]:
    """One row with the answer of each method; long texts are cut."""
    asked = next(iter(firsts.values())).answers[row]
    return {
        "id": asked.id,
        "given": cut(asked.given, SHOWN_LETTERS),
        "expected": cut(in_words(asked, kind, numbers)[0], SHOWN_LETTERS),
        "answers": {
            name: {
                "output": cut(in_words(first.answers[row], kind, numbers)[1], SHOWN_LETTERS),
                "score": float(first.scores[row]),
                "right": None if first.right is None else bool(first.right[row]),
            }
            for name, first in firsts.items()
        },
    }


def in_words(asked: Answered, kind: Kind, numbers: Formatter) -> tuple[str, str]:
    """(expected, answered) as people read them: entities with their words, texts without their places, the text of a side."""
    if kind.name == "tag":
        return entity_texts(asked)
    if kind.name == "extract":
        return " / ".join(dict.fromkeys(map(answer_text, asked.expected))), answer_text(asked.output)
    if kind.name == "prefer":
        return str(asked.expected["chosen"]), str(asked.expected.get(asked.output, asked.output))
    return written(asked.expected, numbers), written(asked.output, numbers)


def written(value: Any, numbers: Formatter) -> str:
    """A label or a text as it is, a grade as a number, nothing for no answer."""
    return value if isinstance(value, str) else "" if value is None else numbers.plain(value)


def confusion(group: Sequence[Scored], labels: Sequence[str]) -> dict[str, Any] | None:
    """How often each label was answered for each other, all seeds together; None where the task has no labels.

    `matrix` has a row per expected label and, per label and for "no label at all", a column; None beyond 16 labels.
    """
    if not labels or not group:
        return None
    counts = Counter((str(row.expected), str(row.output)) for scored in group for row in scored.record.test)
    wrong = sorted(
        ((count, pair) for pair, count in counts.items() if pair[0] != pair[1]), key=lambda entry: (-entry[0], entry[1])
    )
    matrix = None
    if len(labels) <= MATRIX_LABELS:
        matrix = [[counts[expected, given] for given in labels] for expected in labels]
        for line, expected in zip(matrix, labels, strict=True):
            line.append(sum(count for (wanted, _), count in counts.items() if wanted == expected) - sum(line))
    return {
        "labels": list(labels),
        "matrix": matrix,
        "pairs": [
            {"expected": expected, "output": cut(given, 80), "count": count} for count, (expected, given) in wrong[:SHOWN_PAIRS]
        ],
        "runs": len(group),
    }
