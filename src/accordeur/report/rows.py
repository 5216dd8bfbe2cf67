"""Single rows side by side: the hardest ones, those on which methods differ, and which labels are taken for which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from accordeur.report.format import cut
from accordeur.report.scores import Scored, Totals
from accordeur.run import Answered
from accordeur.tasks import Metric

SHOWN_ROWS = 6
SHOWN_PAIRS = 12
SHOWN_LETTERS = 400
MATRIX_LABELS = 16


def row_scores(groups: Mapping[str, Sequence[Scored]], primary: Metric) -> tuple[list[str], Totals]:
    """Names of the methods that have the primary metric, and each row's score by each of them, seeds averaged: (methods, rows).

    The floor (height 0) answers without looking: it tells nothing of a row, and stands aside where there are others.
    """
    able = [name for name, group in groups.items() if group and all(primary.name in scored.test for scored in group)]
    names = [name for name in able if groups[name][0].record.run.height > 0] or able
    table = [np.mean([primary.finish(scored.test[primary.name]) for scored in groups[name]], axis=0) for name in names]
    return names, np.asarray(table, np.float64)


def telling_rows(groups: Mapping[str, Sequence[Scored]], primary: Metric) -> dict[str, list[dict[str, Any]]]:
    """`hardest`: the rows with the lowest mean score; `split`: those on which methods differ most. Answers of the first seeds."""
    names, table = row_scores(groups, primary)
    if not names:
        return {"hardest": [], "split": []}
    goodness = table if primary.higher_is_better else -table
    hard = [int(row) for row in np.argsort(goodness.mean(axis=0), kind="stable")[:SHOWN_ROWS]]
    spread = goodness.std(axis=0)
    differing = [int(row) for row in np.argsort(-spread, kind="stable") if spread[row] > 0 and int(row) not in hard][:SHOWN_ROWS]
    first = {name: groups[name][0].record.test for name in names}
    return {
        "hardest": [side_by_side(row, first, table[:, row]) for row in hard if goodness[:, row].mean() < goodness.max()],
        "split": [side_by_side(row, first, table[:, row]) for row in differing],
    }


def side_by_side(row: int, answers: Mapping[str, Sequence[Answered]], scores: Totals) -> dict[str, Any]:
    """One row with the answer of each method; long texts are cut."""
    asked = next(iter(answers.values()))[row]
    return {
        "id": asked.id,
        "given": cut(asked.given, SHOWN_LETTERS),
        "expected": shown(asked.expected),
        "answers": {
            name: {"output": shown(rows[row].output), "score": float(score), "right": rows[row].output == rows[row].expected}
            for (name, rows), score in zip(answers.items(), scores, strict=True)
        },
    }


def shown(value: Any) -> str:
    """An answer as text, cut."""
    return cut(
        value if isinstance(value, str) else " ".join(map(str, value)) if isinstance(value, list) else value, SHOWN_LETTERS
    )


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
