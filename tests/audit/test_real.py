"""The audit on real data with planted faults: flipped labels, near duplicates, leaked rows."""

from __future__ import annotations

import itertools
import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accordeur.audit import audit
from accordeur.audit.suspects import suspicious
from accordeur.data import load_examples
from accordeur.example import Example
from tests.audit.subjects import finding, subject

DATA = os.environ.get("ACCORDEUR_DATA")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(DATA is None, reason="ACCORDEUR_DATA names no folder of real data"),
]


def banking(part: str = "train") -> tuple[Example, ...]:
    return load_examples(Path(str(DATA)) / "banking77" / f"{part}.jsonl")[1]


@pytest.mark.short_data
def test_flipped_labels_are_found() -> None:
    rows = banking()
    names = sorted({row.expected for row in rows})
    random_ = np.random.default_rng(1)
    flipped = {int(row) for row in random_.choice(len(rows), len(rows) // 20, replace=False)}
    given = np.array([names.index(row.expected) for row in rows])
    for row in flipped:
        given[row] = (given[row] + random_.integers(1, len(names))) % len(names)
    found = {row for row, _ in suspicious([row.text() for row in rows], given)}
    assert len(found & flipped) >= 0.6 * len(flipped)
    assert len(found & flipped) >= 0.5 * len(found)


def changed(text: str, chance: random.Random) -> str:
    """The text as another person would copy it: a word more or less, a typo, another ending, other case."""
    words = text.split()
    place = chance.randrange(len(words))
    ways = [
        lambda: " ".join(words[:place] + words[place + 1 :]),
        lambda: " ".join([*words[:place], chance.choice(["please", "just", "really"]), *words[place:]]),
        lambda: text.upper() + "!!",
        lambda: "Hi, " + text.rstrip("?.!"),
        lambda: " ".join([*words[:place], words[place][:-1] + words[place][-1] * 2, *words[place + 1 :]]),
    ]
    return chance.choice(ways)()


@pytest.mark.short_data
def test_near_duplicates_are_found_and_nothing_else() -> None:
    chance = random.Random(2)
    rows = [row for row in banking() if len(row.text().split()) >= 8]
    near = {place for pair in subject(tuple(rows)).near.pairs for place in pair[:2]}
    rows = [row for place, row in enumerate(rows) if place not in near]  # what is near by nature is no plant
    planted = [
        replace(row, given={"text": changed(row.text(), chance)}, line=100_000 + at)
        for at, row in enumerate(chance.sample(rows, 50))
    ]
    pairs = subject((*rows, *planted)).near.pairs
    found = {other for _, other, _ in pairs if other >= len(rows)}
    false = [pair for pair in pairs if pair[1] < len(rows)]
    assert len(found) >= 45
    assert len(false) <= 0.01 * len(rows)
    assert sum(likeness < 0.7 for _, _, likeness in pairs) == 0


@pytest.mark.short_data
def test_leaked_rows_are_all_found() -> None:
    chance = random.Random(3)
    test = banking("valid")
    leaked = [
        replace(row, given={"text": "  " + row.text().upper().replace(" ", "  ")}, line=200_000 + at)
        for at, row in enumerate(chance.sample(test, 20))
    ]
    own = {row.text() for row in test}
    rows = (*(row for row in banking() if row.text() not in own), *leaked)
    found = finding(audit(subject(rows, test=test), quick=True), "leaked-rows")
    assert found.count == 20
    assert {row.partition(" = ")[0] for row in found.rows} == {row.place for row in leaked}


def test_clean_news_has_few_findings() -> None:
    rows = load_examples(Path(str(DATA)) / "ag_news" / "train.jsonl")[1]
    halves = tuple(itertools.islice(rows, 0, None, 2)), tuple(itertools.islice(rows, 1, None, 2))
    found = audit(subject(halves[0], test=halves[1]))
    assert not found.errors
    assert found.facts["shift"]["low"] < 0.55
