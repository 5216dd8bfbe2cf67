"""Whether test rows look like training rows: how well a classifier tells them apart (AUC), with its interval."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from accordeur.audit.finding import Finding, Seen
from accordeur.audit.shingles import tfidf
from accordeur.audit.subject import Subject, spread

Scores = npt.NDArray[np.float64]
LEAST_ROWS = 30
MOST_ROWS = 2000  # of each part
FOLDS = 5
TOLD_APART = 0.6  # lower end of the AUC from which the parts clearly differ; 0.5 is chance
LEVEL = 0.95


def look(subject: Subject) -> Seen:
    """AUC of train against test; nothing where a part is missing or small."""
    parts = (spread(subject.parts.get(part, ()), MOST_ROWS) for part in ("train", "test"))
    train, test = ([row.text() or str(row.expected) for row in rows] for rows in parts)
    if min(len(train), len(test)) < LEAST_ROWS:
        return Seen()
    scores = left_out_scores(train, test)
    auc, low, high = auc_interval(scores[len(train) :], scores[: len(train)])
    facts = {"shift": {"auc": auc, "low": low, "high": high, "level": LEVEL, "rows": [len(train), len(test)]}}
    if low <= TOLD_APART:
        return Seen(facts=facts)
    values = {"auc": auc, "low": low, "high": high}
    return Seen(findings=(Finding(code="shift", severity="warning", count=len(test), values=values),), facts=facts)


def left_out_scores(train: list[str], test: list[str]) -> Scores:
    """How much each row looks like test, by a logistic regression on TF-IDF that has not seen it (folds)."""
    from sklearn.linear_model import LogisticRegression

    features = tfidf([*train, *test])
    is_test = np.arange(len(train) + len(test)) >= len(train)
    fold = np.random.default_rng(0).permutation(len(is_test)) % FOLDS
    scores = np.zeros(len(is_test))
    for number in range(FOLDS):
        held = fold == number
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=100).fit(features[~held], is_test[~held])
        scores[held] = model.decision_function(features[held])
    return scores


def auc_interval(positive: Scores, negative: Scores) -> tuple[float, float, float]:
    """(AUC, low, high): the probability that a positive scores above a negative, with DeLong's (1988) interval."""
    m, n = len(positive), len(negative)
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[:m] - rankdata(positive)) / n  # of each positive: the share of negatives below it
    below = 1 - (ranks[m:] - rankdata(negative)) / m
    auc = float(above.mean())
    error = float(np.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n))
    reach = float(norm.ppf((1 + LEVEL) / 2)) * error
    return auc, max(0.0, auc - reach), min(1.0, auc + reach)
