"""WordPiece in plain Python: its gains by hand and by recount, its cuts against the library."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from accordeur.foundations.plain_bpe import PlainBpe
from accordeur.foundations.plain_wordpiece import PlainWordPiece, greedy, letters, likelihood_gain, merge

COURSE = ("low " * 5 + "lower " * 2 + "newest " * 6 + "widest " * 3).split()


def log_likelihood(splits: list[list[str]]) -> float:
    counts = Counter(part for parts in splits for part in parts)
    total = sum(counts.values())
    return sum(count * math.log(count / total) for count in counts.values())


def test_the_gain_worked_by_hand() -> None:
    # "ab ab c": a, b twice each (##b), c once; N 5. After the merge: ab twice, c once; N 3.
    before = 4 * math.log(2 / 5) + math.log(1 / 5)
    after = 2 * math.log(2 / 3) + math.log(1 / 3)
    gain = likelihood_gain(("a", "##b"), 2, Counter({"a": 2, "##b": 2, "c": 1}))
    assert gain == pytest.approx(after - before)


def test_the_gain_is_the_difference_of_the_likelihoods_counted_anew() -> None:
    splits = [letters(word) for word in COURSE]
    units = Counter(part for parts in splits for part in parts)
    for pair in {pair for parts in splits for pair in pairwise(parts)}:
        count = sum(list(pairwise(parts)).count(pair) for parts in splits)
        merged = [merge(parts, pair) for parts in splits]
        assert likelihood_gain(pair, count, units) == pytest.approx(log_likelihood(merged) - log_likelihood(splits))


def test_every_merge_is_the_one_that_gains_most() -> None:
    trained = PlainWordPiece.train(COURSE, merges=6, rivals=2)
    for gain in trained.gains:
        assert all(gain.gain >= rival for _, rival in gain.rivals)
    assert trained.gains[0].pair == ("##s", "##t")  # 9 of 9 times together, where BPE takes e + s, equally frequent


def test_a_frequent_pair_of_frequent_letters_loses_against_a_rarer_one_that_never_parts() -> None:
    words = ["ae"] * 6 + ["a"] * 14 + ["be", "ce", "de"] * 5 + ["qu"] * 5
    assert PlainBpe.train(words, merges=1).merges[0].pair == ("a", "e")
    assert PlainWordPiece.train(words, merges=1).gains[0].pair == ("q", "##u")


def test_the_cuts_equal_the_librarys() -> None:
    trained = PlainWordPiece.train(COURSE, merges=8)
    names = ["[UNK]", *trained.vocabulary]
    core = Tokenizer(models.WordPiece({name: place for place, name in enumerate(names)}, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    for word in [*COURSE, "lowest", "newer", "wow", "xenon", "west", "slow"]:
        assert greedy(word, set(trained.vocabulary)) == core.encode(word).tokens


def test_the_librarys_trainer_merges_by_frequency_as_bpe_does() -> None:
    """A finding, kept as a test: the trainer called WordPiece takes the most frequent pair, not the likeliest."""
    words = ["ae"] * 6 + ["a"] * 14 + ["be", "ce", "de"] * 5 + ["qu"] * 5
    core = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    alphabet = {part for word in words for part in letters(word)} | set("".join(words))
    trainer = trainers.WordPieceTrainer(vocab_size=len(alphabet) + 1, show_progress=False, special_tokens=[])
    core.train_from_iterator([" ".join(words)], trainer)
    assert set(core.get_vocab()) - alphabet == {"ae"}
