"""Token ids on disk, memory-mapped: a corpus of any size as rows for the training loop."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.errors import DataError
from accordeur.example import Encoded
from accordeur.foundations.corpus import Piece
from accordeur.store import read_json, write_json
from accordeur.training.even import Even

IDS, ABOUT = "tokens.bin", "tokens.json"
GROUP = 64  # texts encoded at once, in parallel
STRETCH = 20_000  # characters of one of them


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A tokenised text: its ids on disk, and what it was."""

    ids: npt.NDArray[Any]  # a memory map, uint16 or uint32
    tokens: int
    characters: int
    words: int
    documents: int
    digest: str  # SHA-256 of the ids


def write_ids(pieces: Iterable[Piece], tokenizer: Any, folder: Path, *, end_id: int | None) -> Stored:
    """Tokenises text into folder/tokens.bin, `end_id` after every document, without ever holding it whole."""
    folder.mkdir(parents=True, exist_ok=True)
    dtype = np.dtype(np.uint16 if len(tokenizer) <= 2**16 else np.uint32)
    counts = {"tokens": 0, "characters": 0, "words": 0, "documents": 0}
    digest = hashlib.sha256()
    stretches = short_stretches(pieces)
    with (folder / IDS).open("wb") as stream:
        while group := list(islice(stretches, GROUP)):
            encoded = encode([piece.text for piece in group], tokenizer)
            for piece, ids in zip(group, encoded, strict=True):
                ending = [end_id] if piece.last and end_id is not None else []
                written = np.asarray([*ids, *ending], dtype=dtype).tobytes()
                stream.write(written)
                digest.update(written)
                counts["tokens"] += len(ids) + len(ending)
                counts["characters"] += len(piece.text)
                counts["words"] += len(piece.text.split())
                counts["documents"] += piece.last
    write_json(folder / ABOUT, {**counts, "dtype": dtype.name, "digest": digest.hexdigest()})
    return open_ids(folder)


def encode(texts: list[str], tokenizer: Any) -> list[list[int]]:
    """Ids without special tokens; all cores at work where the tokenizer is the library's own."""
    if tokenizer.is_fast:
        return [encoding.ids for encoding in tokenizer.backend_tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    return ids


def short_stretches(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The same text in stretches of 20,000 to 40,000 characters that end with a line or a word, so that all cores have work."""
    for piece in pieces:
        start, size = 0, len(piece.text)
        while True:
            end = end_of_stretch(piece.text, start)
            yield Piece(text=piece.text[start:end], last=piece.last and end == size)
            start = end
            if start >= size:
                break


def end_of_stretch(text: str, start: int) -> int:
    """Behind a line break, else before the last space, else, as in scripts without spaces, after twice the usual length."""
    latest = start + 2 * STRETCH
    line = text.find("\n", start + STRETCH, latest) + 1
    if line or len(text) <= latest:
        return line or len(text)
    space = text.rfind(" ", start, latest)
    return space if space > start else latest


def open_ids(folder: Path) -> Stored:
    """What `write_ids` wrote, mapped into memory, not read."""
    about = read_json(folder / ABOUT)
    if not about["tokens"]:
        raise DataError("the corpus holds no token", hint="expected UTF-8 text")
    ids = np.memmap(folder / IDS, dtype=about.pop("dtype"), mode="r")
    return Stored(ids=ids, **about)


class Blocks(Even):
    """Packed rows of equal length for a causal model: row i holds tokens i·T to (i+1)·T, its targets stand one further.

    Every token but the very first is a target exactly once; a last row that is short is left out where there are others.
    """

    def __init__(self, stored: Stored, length: int) -> None:
        self.ids = stored.ids
        self.length = length
        self.whole = max(1, (stored.tokens - 1) // length)
        self.digest = f"blocks-{stored.digest}-{length}"

    def __len__(self) -> int:
        return self.whole

    def row(self, place: int) -> Encoded:
        """The tokens of one row, and those one further."""
        start = place * self.length
        window = np.asarray(self.ids[start : start + self.length + 1], dtype=np.int32)
        return Encoded(tokens=window[:-1], target=window[1:], row=place)
