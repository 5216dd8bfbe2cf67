"""Token ids on disk: the text comes back, every token is a target once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from accordeur.errors import DataError
from accordeur.foundations import stored
from accordeur.foundations.corpus import Piece
from accordeur.foundations.stored import Blocks, write_ids
from accordeur.foundations.tokenizers import TokenizerRequest, train_tokenizer
from tests.foundations.words import lines, text

TOKENIZER = train_tokenizer(lines(200), TokenizerRequest(size=300))


def two_documents() -> list[Piece]:
    return [Piece(text=text(30), last=False), Piece(text=text(10, 1), last=True), Piece(text=text(5, 2), last=True)]


def test_ids_decode_to_the_text_with_an_end_after_every_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "STRETCH", 100)
    found = write_ids(two_documents(), TOKENIZER, tmp_path, end_id=TOKENIZER.eos_token_id)
    end = TOKENIZER.eos_token
    whole = text(30) + text(10, 1) + end + text(5, 2) + end
    assert TOKENIZER.decode(found.ids.tolist()) == whole
    assert found.documents == 2
    assert found.characters == len(whole) - 2 * len(end)
    assert found.tokens == len(found.ids)
    assert isinstance(found.ids, np.memmap)
    assert found.ids.dtype == np.uint16


@pytest.mark.parametrize("between", [" ", ""])
def test_a_text_without_line_breaks_is_encoded_in_stretches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, between: str
) -> None:
    monkeypatch.setattr(stored, "STRETCH", 100)
    whole = between.join(f"river{number}" for number in range(400))
    cut = [piece.text for piece in stored.short_stretches([Piece(text=whole, last=True)])]
    assert "".join(cut) == whole
    assert max(map(len, cut)) <= 200
    assert all(part.startswith(" ") for part in cut[1:]) == bool(between)  # a space belongs to what follows it
    found = write_ids([Piece(text=whole, last=True)], TOKENIZER, tmp_path, end_id=None)
    assert TOKENIZER.decode(found.ids.tolist()) == whole


def test_blocks_ask_every_token_but_the_first_once(tmp_path: Path) -> None:
    found = write_ids(two_documents(), TOKENIZER, tmp_path, end_id=None)
    blocks = Blocks(found, 16)
    targets = np.concatenate([item.target for item in blocks])
    assert (targets == found.ids[1 : len(targets) + 1]).all()
    assert found.tokens - 1 - len(targets) < 16
    assert {len(item.tokens) for item in blocks} == {16}


def test_a_text_shorter_than_a_block_is_one_row(tmp_path: Path) -> None:
    found = write_ids([Piece(text="the river", last=True)], TOKENIZER, tmp_path, end_id=None)
    (item,) = Blocks(found, 512)
    assert len(item.tokens) == found.tokens - 1


def test_no_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no token"):
        write_ids([Piece(text="", last=True)], TOKENIZER, tmp_path, end_id=None)
