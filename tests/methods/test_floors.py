"""What answers by a rule: on cases worked by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accordeur.base import Base
from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.example import Example
from accordeur.method import build_method
from accordeur.models._floor import Cache
from accordeur.models.constant import answer_tokens
from accordeur.models.overlap import Overlap
from accordeur.task import Task
from accordeur.tasks import kind_of
from tests.bases import tiny
from tests.tasks.conftest import example


def fit(name: str, kind: str, rows: list[Example], folder: Path, family: str = "decoder") -> Any:
    task = Task(
        name=kind, kind=kind, train=tuple(rows), validation=tuple(rows[:1]), test=tuple(rows[:1]), metrics=("any",),
        labels=kind_of(kind).labels(rows),
    )  # type: ignore[arg-type]  # fmt: skip
    return build_method(name).fit(task, tiny(family), Context(seed=0, folder=folder / "work", cache=folder / "cache"))


def tagged(words: str, tags: str, name: str = "1") -> Example:
    return example({"tokens": tuple(words.split())}, tuple(tags.split()), name)


def test_a_word_gets_its_most_frequent_tag_and_an_unknown_one_is_outside(tmp_path: Path) -> None:
    rows = [tagged("Paris is Paris", "B-LOC O B-PER", "1"), tagged("in Paris", "O B-LOC", "2")]
    model = fit("lexicon", "tag", rows, tmp_path)
    assert model.predict([tagged("Paris loves Lille", "O O O")])[0].output == ("B-LOC", "O", "O")


def test_an_inside_tag_without_a_beginning_is_repaired_and_counted(tmp_path: Path) -> None:
    rows = [tagged("New York is", "B-LOC I-LOC O")]
    found = fit("lexicon", "tag", rows, tmp_path).predict([tagged("York is New York", "O O O O")])[0]
    assert found.output == ("B-LOC", "O", "B-LOC", "I-LOC")
    assert found.scores == {"repaired": 1.0}


def test_the_answer_stands_where_most_words_of_the_question_are() -> None:
    context = "Anna lives in Lyon. Paul, who sings, was born in Lille in 1960. Marie has a dog."
    answer = Overlap(1).answer("Where was Paul born?", context)
    assert answer == "sings"  # nearest to all of `Paul`, `was` and `born`, and no word of the question itself
    assert Overlap(3).answer("dog?", "a dog") == "a dog"
    assert Overlap(2).answer("what?", "...") == "..."


def test_an_answer_is_as_long_as_the_median_one(tmp_path: Path) -> None:
    texts = ["one", "one two three", "one two three four five"]
    rows = [
        example({"question": "q?", "context": text}, ({"text": text, "start": 0},), str(place))
        for place, text in enumerate(texts)
    ]
    assert fit("overlap", "extract", rows, tmp_path).words == 3


def test_a_copy_gives_back_what_is_given(tmp_path: Path) -> None:
    rows = [example({"instruction": "Sum up.", "input": "A long text."}, "Text.")]
    model = fit("copy", "write", rows, tmp_path)
    turns = ({"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}, {"role": "user", "content": "three"})
    given = [rows[0], example({"instruction": "Say.", "input": ""}, "x"), example({"messages": turns}, "x")]
    assert [found.output for found in model.predict(given)] == ["A long text.", "Say.", "three"]


def test_a_copied_answer_is_more_likely_than_another_one(tmp_path: Path) -> None:
    base = tiny("decoder")
    flat = np.full(len(base.tokenizer()), -math.log(len(base.tokenizer())), np.float32)
    cache = Cache(base, flat)
    ids = answer_tokens(base.tokenizer(), "in Paris")
    found = cache.log_probs("in Paris", "in Paris").log_probs
    shares = np.asarray([ids.count(token) / len(ids) for token in ids])
    assert np.allclose(np.exp(found), 0.5 / len(flat) + 0.5 * shares)
    assert found.sum() > cache.log_probs("in Paris", "jumps over").log_probs.sum()


def test_the_nearest_row_answers_but_never_for_itself(tmp_path: Path) -> None:
    said = {"my card is lost": "lost", "the card was lost": "gone", "what is the weather": "sky", "how is the weather": "sun"}
    rows = [example({"text": text}, label, str(place)) for place, (text, label) in enumerate(said.items())]
    model = fit("neighbour", "classify", rows, tmp_path, "encoder")
    assert [found.output for found in model.predict(rows)] == ["gone", "lost", "sun", "sky"]
    assert model.predict([example({"text": "lost my card"}, "?", "9")])[0].output == "lost"


@pytest.mark.parametrize(
    ("name", "kind"), [("lexicon", "classify"), ("overlap", "tag"), ("copy", "extract"), ("neighbour", "tag")]
)
def test_a_rule_says_which_kinds_it_does_not_take(name: str, kind: str, tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match=kind):
        fit(name, kind, [tagged("a", "O")] if kind == "tag" else [example({"text": "a"}, "x")], tmp_path)


def test_over_a_served_base_a_rule_answers_without_likelihood(tmp_path: Path) -> None:
    rows = [example({"instruction": "a", "input": ""}, "b"), example({"instruction": "c", "input": ""}, "d", "2")]
    task = Task(name="w", kind="write", train=tuple(rows), validation=(), test=(), metrics=("nll",))
    base = Base(name="http://127.0.0.1:9", family="remote")
    model = build_method("copy").fit(task, base, Context(seed=0, folder=tmp_path, cache=tmp_path))
    assert model.predict(rows)[0].output == "a"
    with pytest.raises(NotApplicable):
        model.log_probs(rows)
