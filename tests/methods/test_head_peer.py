"""`head` against the libraries that it should equal: SentenceTransformer.encode, then scikit-learn's LogisticRegression."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from accordeur.adapted import reopen
from accordeur.base import default_encoder
from accordeur.context import Context
from accordeur.errors import RecipeError
from accordeur.method import build_method
from accordeur.methods.head import Head
from accordeur.models._vectors import Vectors, text_items
from accordeur.plan import DevicePlan
from accordeur.store import seal
from accordeur.task import Task
from tests.tasks.conftest import example

SAMPLE = Path("src/accordeur/assets/sample/messages.jsonl")


def peer_features(texts: list[str]) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(default_encoder().path), device="cpu").encode(texts, batch_size=32)


def rows_of(path: Path, count: int) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    order = np.random.default_rng(0).permutation(len(rows))[:count]
    return [(rows[place]["text"], rows[place]["label"]) for place in order]


def both_scores(rows: list[tuple[str, str]], folder: Path) -> tuple[float, float]:
    """Macro-F1 of ours and of the peer, in points, on the same rows."""
    cut = len(rows) * 2 // 3
    parts = [tuple(example({"text": text}, label, str(place)) for place, (text, label) in enumerate(rows))]
    train, test = parts[0][:cut], parts[0][cut:]
    labels = tuple(sorted({label for _, label in rows[:cut]}))
    task = Task(name="t", kind="classify", train=train, validation=test, test=test, metrics=("macro_f1",), labels=labels)
    context = Context(seed=0, folder=folder / "work", cache=folder / "cache", device=DevicePlan(threads=1))
    ours = [prediction.output for prediction in Head().fit(task, default_encoder(), context).predict(test)]
    features = peer_features([text for text, _ in rows])
    peer = LogisticRegression(max_iter=2000).fit(features[:cut], [label for _, label in rows[:cut]]).predict(features[cut:])
    expected = [label for _, label in rows[cut:]]
    return 100 * f1_score(expected, ours, average="macro"), 100 * f1_score(expected, peer, average="macro")


def test_vectors_equal_those_of_sentence_transformers():
    texts = [text for text, _ in rows_of(SAMPLE, 60)]
    vectors = Vectors(base=default_encoder(), pooling="mean", device=DevicePlan(threads=1))
    ours = vectors.of_items(text_items(texts, vectors.codec(256)))
    assert np.abs(ours - peer_features(texts)).max() < 1e-5


def test_head_equals_the_libraries_on_the_sample(tmp_path):
    ours, peer = both_scores(rows_of(SAMPLE, 450), tmp_path)
    assert abs(ours - peer) <= 0.5
    assert ours > 50


@pytest.mark.data
@pytest.mark.parametrize("name", ["sms_spam", "trec_qc", "fr_tweets"])
def test_head_equals_the_libraries_on_real_rows(tmp_path, name):
    data = os.environ.get("ACCORDEUR_DATA")
    if not data:
        pytest.skip("ACCORDEUR_DATA is not set")
    ours, peer = both_scores(rows_of(Path(data) / name / "train.jsonl", 1500), tmp_path)
    assert abs(ours - peer) <= 0.5


def test_a_hidden_layer_learns_what_no_line_can_part(tmp_path):
    """Four bags of words whose label is an exclusive or: the linear head guesses, the small network knows."""
    from tests.bases import tiny

    texts = {"a a a a": "x", "b b b b": "y", "a a b b": "z"}
    rows = [example({"text": text}, "in" if text == "a a b b" else "out", str(place)) for place, text in enumerate([*texts] * 8)]
    task = Task(
        name="t",
        kind="classify",
        train=tuple(rows),
        validation=tuple(rows[:6]),
        test=(),
        metrics=("macro_f1",),
        labels=("in", "out"),
    )
    context = Context(seed=0, folder=tmp_path / "work", cache=tmp_path / "cache", device=DevicePlan(threads=1))
    model = Head(hidden=16).fit(task, tiny("encoder"), context)
    facts = model.facts()
    assert facts["hidden"] == 16 and 1 <= facts["epochs"] <= 200
    assert facts["trainable_parameters"] == 64 * 16 + 16 + 16 * 2 + 2
    again = Head(hidden=16).fit(task, tiny("encoder"), context)
    assert np.array_equal(again.weights_WC, model.weights_WC)
    folder = tmp_path / "saved"
    folder.mkdir()
    model.save(folder)
    seal(folder, {})
    assert [found.output for found in reopen(folder).predict(rows)] == [found.output for found in model.predict(rows)]


def test_a_head_refuses_impossible_sizes():
    for wrong in ({"hidden": -1}, {"c": 0.0}):
        with pytest.raises(RecipeError, match="expected"):
            build_method("head", wrong)
