"""BPE in plain Python against the hand-worked course example and against the library."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from accordeur.foundations.plain_bpe import PlainBpe

COURSE = "low " * 5 + "lower " * 2 + "newest " * 6 + "widest " * 3
CORPORA = {
    "course": COURSE,
    "rows of one letter": "aaaa aaa aa a aaaaa " * 3,
    "ties": "ab ba cd dc ab ba cd dc",
    "french": "l'été dernier était un été très chaud, cet été-là était chaud et sec; l'hiver était doux",
    "english": "the cat sat on the mat and the cats sat on the mats while the other cat slept in the other hat",
}


def library(text: str, merges: int) -> Tokenizer:
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    size = len(set("".join(text.split()))) + merges
    core.train_from_iterator([text], trainers.BpeTrainer(vocab_size=size, show_progress=False, special_tokens=[]))
    return core


def library_merges(core: Tokenizer) -> list[tuple[str, str]]:
    import json

    return [tuple(pair) for pair in json.loads(core.to_str())["model"]["merges"]]


def test_the_first_merges_of_low_lower_newest_widest_are_those_worked_by_hand() -> None:
    trained = PlainBpe.train(COURSE.split(), merges=4)
    assert [(merge.pair, merge.count) for merge in trained.merges] == [
        (("e", "s"), 9), (("es", "t"), 9), (("l", "o"), 7), (("lo", "w"), 7),
    ]  # fmt: skip
    assert trained.encode("lowest") == ["low", "est"]
    assert trained.history("lowest")[1] == ["l", "o", "w", "es", "t"]


@pytest.mark.parametrize("name", CORPORA)
def test_merges_and_tokens_equal_the_librarys(name: str) -> None:
    text = CORPORA[name]
    core = library(text, 30)
    trained = PlainBpe.train(text.split(), merges=len(library_merges(core)))
    assert [merge.pair for merge in trained.merges] == library_merges(core)
    for word in {*text.split(), "lowest", "unseen"}:
        if set(word) <= set(text):
            assert trained.encode(word) == core.encode(word).tokens


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("abc", min_size=1, max_size=7), min_size=1, max_size=12))
def test_merges_equal_the_librarys_on_random_words(words: list[str]) -> None:
    core = library(" ".join(words), 8)
    trained = PlainBpe.train(words, merges=len(library_merges(core)))
    assert [merge.pair for merge in trained.merges] == library_merges(core)


def test_tokens_of_a_word_join_to_the_word_whatever_its_letters() -> None:
    trained = PlainBpe.train(COURSE.split(), merges=12)
    for word in ("newest", "wider", "žluťoučký", "x", ""):
        assert "".join(trained.encode(word)) == word


def test_training_ends_where_no_pair_is_left() -> None:
    assert PlainBpe.train(["ab"], merges=50).vocabulary == ["a", "b", "ab"]
