"""Rows of the objectives: one pass reads every block once, pairs keep to documents, sentinels suffice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accordeur.errors import RecipeError
from accordeur.example import Encoded
from accordeur.foundations.corpus import Piece
from accordeur.foundations.objectives import word_starts
from accordeur.foundations.rows import MaskedRows, PairRows, Rows, SpanRows, corruption_of, in_passes
from accordeur.foundations.stored import Stored, write_ids
from accordeur.foundations.tokenizers import TokenizerRequest, train_tokenizer
from accordeur.plan import DevicePlan
from accordeur.training import batches
from accordeur.training.even import Even
from accordeur.training.memory import settle
from accordeur.training.network import Network
from accordeur.training.state import Progress
from tests.foundations.words import lines, text
from tests.training import tiny

BERT = train_tokenizer(lines(200), TokenizerRequest(kind="wordpiece", size=90, family="bert"))
T5 = train_tokenizer(lines(200), TokenizerRequest(size=400, family="t5"))
LENGTH = 19  # of a row; 16 tokens of text in a pair


def stored(folder: Path, texts: list[str], tokenizer: Any = BERT) -> Stored:
    end = tokenizer.sep_token_id if tokenizer is BERT else tokenizer.eos_token_id
    return write_ids([Piece(text=one, last=True) for one in texts], tokenizer, folder, end_id=end)


@pytest.mark.parametrize("batch_rows", [4, 7])
@pytest.mark.parametrize("sort", [MaskedRows, PairRows, SpanRows])
def test_every_pass_reads_every_block_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sort: Any, batch_rows: int) -> None:
    tokenizer = T5 if sort is SpanRows else BERT
    rows: Rows = in_passes(sort(stored(tmp_path, [text(90), text(60, 1)], tokenizer), LENGTH, tokenizer, seed=3), batch_rows)
    order = [place for parts in batches.steps(rows, batch_rows, 64, 3, 0) for part in parts for place in part]
    read: list[int] = []
    monkeypatch.setattr(sort, "made", lambda self, block, rng, row: read.append(block))
    for place in order:
        rows.row(place)
    blocks = len(rows.starts)
    passes = [read[start : start + blocks] for start in range(0, len(read), blocks)]
    assert len(passes) == rows.copies
    assert all(sorted(one) == list(range(blocks)) for one in passes)
    assert passes[0] != sorted(passes[0])
    assert passes[0] != passes[1]


def test_a_block_is_masked_anew_in_every_pass(tmp_path: Path) -> None:
    rows = in_passes(MaskedRows(stored(tmp_path, [text(20)]), LENGTH, BERT, seed=3), 4)
    assert rows.block_at is not None
    targets = {rows.row(int(place)).target.tobytes() for place in np.flatnonzero(rows.block_at == 0)}  # type: ignore[union-attr]
    assert len(targets) > rows.copies // 2


def numbered(lengths: list[int]) -> Stored:
    """Documents of so many tokens, no token twice, so that it is known of each where it stands."""
    ids: list[int] = []
    for length in lengths:
        ids += [*range(100 + len(ids), 100 + len(ids) + length), BERT.sep_token_id]
    return Stored(ids=np.array(ids), tokens=len(ids), characters=1, words=1, documents=len(lengths), digest="numbered")


def test_pairs_keep_to_documents_also_beside_short_ones() -> None:
    lengths = [1000, 7, 15, 16, 900, 3, 0, 400, 333]  # 16 tokens fill a row
    found = numbered(lengths)
    ends = np.cumsum([length + 1 for length in lengths])
    rows = PairRows(found, LENGTH, BERT, seed=0)
    rows.masking = replace(rows.masking, vocabulary=5000)
    labels = []
    for item in rows:
        assert isinstance(item.target, np.ndarray) and item.segments is not None
        whole = np.where(item.target >= 0, item.target, item.tokens)  # the masks filled in again
        first, second = (whole[item.segments == number] for number in (0, 1))
        first, second, label = first[1:-1], second[:-1], int(item.target[0])
        assert (np.diff(first) == 1).all() and (np.diff(second) == 1).all()  # neither reaches over the end of a document
        assert len(first) == len(second) == 8
        homes = [int(np.searchsorted(ends, part[0] - 100, "right")) for part in (first, second)]
        assert second[0] == first[-1] + 1 if label == 0 else homes[0] != homes[1]
        labels.append(label)
    assert len(labels) == 10 * (62 + 1 + 56 + 25 + 20)
    assert np.mean(labels) == pytest.approx(0.5, abs=0.04)
    assert rows.unread == pytest.approx(1 - 164 * 16 / found.tokens)


def test_every_other_document_can_be_the_one_that_does_not_follow(tmp_path: Path) -> None:
    rows = PairRows(stored(tmp_path, [text(4), text(200, 1), text(4, 2)]), LENGTH, BERT, seed=0)
    rng = np.random.default_rng(0)
    middle = int(np.searchsorted(rows.documents, 1))
    drawn = {rows.elsewhere(middle, rng) for _ in range(300)}
    assert drawn == {*np.flatnonzero(rows.documents != 1).tolist()}


def test_sentinels_that_do_not_suffice_are_refused() -> None:
    assert len(corruption_of(T5, 1980).sentinels) == 100
    with pytest.raises(RecipeError, match="100 sentinels") as caught:
        corruption_of(T5, 2048)
    assert "at most 1980 tokens" in caught.value.hint


def test_the_words_of_a_word_tokenizer_are_each_their_own() -> None:
    tokenizer = train_tokenizer(lines(100), TokenizerRequest(kind="word", size=60, family="bert", exact=False))
    assert word_starts(tokenizer).all()
    letters = train_tokenizer(lines(100), TokenizerRequest(kind="char", size=60, family="bert", exact=False))
    assert not word_starts(letters)[letters.convert_tokens_to_ids("a")]
    assert word_starts(letters)[letters.convert_tokens_to_ids(" ")]


class Counted(Even):
    """A hundred rows that count how often one is made."""

    digest, count = "hundred", 0

    def __len__(self) -> int:
        return 100

    def row(self, place: int) -> Encoded:
        self.count += 1
        return Encoded(tokens=np.full(8, 1, np.int32), target=np.full(8, 1, np.int32), row=place)


def test_memory_is_settled_from_one_row_of_many() -> None:
    rows = Counted()
    settle(Progress(), Network(tiny.gpt2(), "causal"), rows, DevicePlan(device="cpu"))
    assert rows.count == 1
