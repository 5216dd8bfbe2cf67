"""Train against test: the AUC against scikit-learn, its interval, and planted shift."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from accordeur.audit import audit
from accordeur.audit.shift import auc_interval
from tests.audit.subjects import codes, finding, labelled, subject
from tests.audit.test_labels import topical


def test_auc_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    positive, negative = random.normal(0.5, 1, 60).round(1), random.normal(0, 1, 90).round(1)
    auc, low, high = auc_interval(positive, negative)
    wanted = roc_auc_score([1] * 60 + [0] * 90, np.concatenate([positive, negative]))
    assert auc == pytest.approx(wanted)
    assert low < auc < high


def test_interval_covers_the_truth() -> None:
    from scipy.stats import norm

    random = np.random.default_rng(1)
    truth = norm.cdf(0.5 / 2**0.5)
    inside = 0
    for _ in range(300):
        _, low, high = auc_interval(random.normal(0.5, 1, 80), random.normal(0, 1, 80))
        inside += low <= truth <= high
    assert inside >= 0.92 * 300


def test_shift_is_found_and_sameness_is_not() -> None:
    train, test = topical(200), topical(100, seed=7)
    same = audit(subject(labelled(train), test=labelled(test, "test.jsonl")))
    assert "shift" not in codes(same)
    assert same.facts["shift"]["low"] < 0.55
    moved = labelled(
        [(text.replace("train", "tram").replace("soup", "stew") + " thanks", label) for text, label in test], "test.jsonl"
    )
    found = finding(audit(subject(labelled(train), test=moved)), "shift")
    assert found.values["auc"] > 0.9
