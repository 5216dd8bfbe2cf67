"""Conflicting and suspicious labels, planted; small and lopsided classes."""

from __future__ import annotations

import random

import numpy as np
import pytest

from accordeur.audit import audit
from accordeur.audit.shingles import tfidf
from accordeur.audit.suspects import left_out_cosines, suspicious
from accordeur.example import Example
from tests.audit.subjects import codes, finding, labelled, subject

TOPICS = {
    "food": ["soup", "bread", "pepper", "oven", "lunch", "taste", "kitchen", "plate", "sauce", "butter"],
    "rail": ["train", "track", "station", "ticket", "platform", "delay", "seat", "engine", "signal", "wagon"],
    "rain": ["cloud", "storm", "umbrella", "wet", "weather", "puddle", "thunder", "drizzle", "grey", "flood"],
}


def topical(count: int, seed: int = 0) -> list[tuple[str, str]]:
    chance = random.Random(seed)
    labels = [list(TOPICS)[place % 3] for place in range(count)]
    return [(" ".join(chance.choices(TOPICS[label], k=8)), label) for label in labels]


def test_conflicts_are_listed_with_their_labels() -> None:
    rows = [*topical(90), ("the same words", "food"), ("The  same words", "rail")]
    found = finding(audit(subject(labelled(rows)), quick=True), "conflicting-labels")
    assert (found.severity, found.count, found.values["texts"]) == ("warning", 2, 1)
    assert found.rows == ("rows.jsonl:91 = rows.jsonl:92 (food, rail)",)


def test_many_conflicts_are_an_error() -> None:
    rows = [*topical(30), *((f"text {place // 2}", "food" if place % 2 else "rail") for place in range(8))]
    assert finding(audit(subject(labelled(rows)), quick=True), "conflicting-labels").severity == "error"


def test_grades_do_not_conflict() -> None:
    rows = tuple(Example(id=str(grade), given={"text": "same"}, expected=float(grade)) for grade in range(6))
    assert "conflicting-labels" not in codes(audit(subject(rows), quick=True))


def test_flipped_labels_are_found_surest_first() -> None:
    rows = topical(300)
    flipped = [5, 50, 100, 151, 202]
    for place in flipped:
        rows[place] = (rows[place][0], "rain" if rows[place][1] != "rain" else "food")
    found = finding(audit(subject(labelled(rows))), "suspicious-labels")
    assert {row.split(" ")[0] for row in found.rows} == {f"rows.jsonl:{place + 1}" for place in flipped}
    assert "→" in found.rows[0]


def test_random_labels_are_not_all_suspicious() -> None:
    chance = random.Random(1)
    rows = [(" ".join(chance.choices([*TOPICS["food"], *TOPICS["rail"]], k=8)), chance.choice("ab")) for _ in range(300)]
    assert len(suspicious([text for text, _ in rows], np.array([label == "a" for _, label in rows], np.int64))) < 10


def test_each_row_is_judged_by_the_means_without_itself() -> None:
    texts = [text for text, _ in topical(20)]
    given = np.array([place % 3 for place in range(20)])
    features = tfidf(texts)
    found = left_out_cosines([features[:7], features[7:]], given, 3)
    dense = np.asarray(features.todense())
    for row in range(20):
        for label in range(3):
            others = [place for place in range(20) if given[place] == label and place != row]
            mean = dense[others].sum(axis=0)
            assert found[row, label] == pytest.approx(float(dense[row] @ mean / np.linalg.norm(mean)), abs=1e-4)


def test_small_and_lopsided_classes_are_named() -> None:
    rows = [*((f"some words number {place}", "often") for place in range(60)), ("one more", "rare"), ("and another", "rare")]
    found = audit(subject(labelled(rows)), quick=True)
    assert finding(found, "small-classes").values["classes"] == "rare (2)"
    assert finding(found, "lopsided").values["label"] == "often"
    assert found.facts["classes"] == {"often": {"file": 60}, "rare": {"file": 2}}
