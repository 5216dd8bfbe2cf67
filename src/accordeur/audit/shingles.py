"""Texts as runs of letters, hashed: what duplicates, labels and shift are compared by. Whole data at once, in numpy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Hashes = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.int64]
NOT_WORD = re.compile(r"[\W_]+")
LETTERS = 30_000_000  # of all texts together that are compared, so that memory stays below about 1 GB
BLOCK = 1 << 19  # letters hashed at once
LEAST_LETTERS = 400  # of each text, whatever their number
FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F], np.uint64
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shingles:
    """The runs of letters of every text: text r has `hashes[offsets[r]:offsets[r + 1]]`, at least one."""

    hashes: Hashes
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1


def letters(text: str, most: int = LETTERS) -> str:
    """What is compared: letters and digits, composed (NFC) and case folded, one space between words and at both ends."""
    text = text[:most]
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return f" {NOT_WORD.sub(' ', text.casefold()).strip()} "


def room(texts: Sequence[str], letters: int = LETTERS) -> int:
    """How many letters of each text are compared, so that all together stay within `letters`: all of most data."""
    return max(LEAST_LETTERS, letters // max(1, len(texts)))


def shingles(texts: Sequence[str], size: int, most: int) -> Shingles:
    """Hashes (32 bits) of all runs of `size` (at most 5) of the first `most` letters; a shorter text is filled up with spaces."""
    hashes, counts = [np.zeros(0, np.uint32)], [np.zeros(1, np.int64)]
    block: list[str] = []
    held = 0
    for number, text in enumerate(texts, start=1):  # a block at a time, which stays in the cache
        block.append(letters(text, most).ljust(size))
        held += len(block[-1])
        if held >= BLOCK or number == len(texts):
            found, lengths = block_shingles(block, size)
            hashes.append(found)
            counts.append(lengths)
            block, held = [], 0
    return Shingles(hashes=np.concatenate(hashes), offsets=np.cumsum(np.concatenate(counts)))


def block_shingles(rows: Sequence[str], size: int) -> tuple[Hashes, Offsets]:
    """(the hashes of the runs of all rows, how many each row has)."""
    lengths = np.array([len(row) for row in rows], np.int64)
    points = np.frombuffer("".join(rows).encode("utf-32-le", "surrogatepass"), np.uint32)
    total = len(points) - size + 1
    mixed = np.zeros(total, np.uint64)
    for place in range(size):
        mixed += points[place : place + total].astype(np.uint64) * FACTORS[place]
    inside = np.ones(len(points), bool)  # runs that cross from one text into the next are left out
    ends = np.cumsum(lengths)
    for back in range(1, size):
        inside[ends - back] = False
    mixed = mixed[inside[:total]]
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(32)).astype(np.uint32), lengths - size + 1


def tfidf(texts: Sequence[str], *, sizes: Sequence[int] = (3, 4, 5), bits: int = 17) -> csr_matrix:
    """(rows, 2**bits) TF-IDF of hashed runs of letters, sublinear counts, every row of length one."""
    most = room(texts, LETTERS // 5)
    found = [shingles(texts, size, most) for size in sizes]
    lines = np.concatenate([np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(each.offsets)) for each in found])
    columns = np.concatenate([each.hashes >> np.uint32(32 - bits) for each in found]).astype(np.int32)
    counts = csr_matrix((np.ones(len(lines), np.float32), (lines, columns)), shape=(len(texts), 1 << bits))
    counts.sum_duplicates()
    occurs = np.bincount(counts.indices, minlength=1 << bits)
    weights = (np.log((1 + len(texts)) / (1 + occurs)) + 1).astype(np.float32)
    values = (1 + np.log(counts.data)) * weights[counts.indices]
    squares = np.add.reduceat(values * values, counts.indptr[:-1])
    values = values / np.sqrt(np.repeat(squares, np.diff(counts.indptr)))
    return csr_matrix((values.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)
