"""Texts as runs of letters, hashed: what duplicates, labels and shift are compared by. Whole data at once, in numpy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack

Hashes = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.int64]
NOT_WORD = re.compile(r"[\W_]+")
LETTERS = 30_000_000  # of all texts together that are compared, so that memory stays below about 1 GB
BLOCK = 1 << 19  # letters hashed at once
LEAST_LETTERS = 400  # of each text, whatever their number
SIZES, BITS = (3, 4, 5), 17  # of the runs of letters whose TF-IDF is taken, and of their hashes
ROWS = 4096  # counted at once
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


def tfidf(texts: Sequence[str]) -> csr_matrix:
    """(rows, 2**BITS) TF-IDF of hashed runs of 3 to 5 letters, sublinear counts, every row of length one."""
    return csr_matrix(vstack(tfidf_blocks(texts), format="csr"))


def tfidf_blocks(texts: Sequence[str]) -> list[csr_matrix]:
    """The same in blocks of rows, so that many rows take no more memory than what is kept of them."""
    most = room(texts, LETTERS // 5)
    blocks = [counted(texts[start : start + ROWS], most) for start in range(0, len(texts), ROWS)]
    occurs = np.zeros(1 << BITS, np.int64)
    for block in blocks:
        occurs += np.bincount(block.indices, minlength=1 << BITS)
    weights = (np.log((1 + len(texts)) / (1 + occurs)) + 1).astype(np.float32)
    for block in blocks:
        block.data = (1 + np.log(block.data)) * weights[block.indices]
        squares = np.add.reduceat(block.data * block.data, block.indptr[:-1])
        block.data /= np.sqrt(np.repeat(squares, np.diff(block.indptr)))
    return blocks


def counted(texts: Sequence[str], most: int) -> csr_matrix:
    """(rows, 2**BITS) counts of the hashed runs of letters."""
    found = [shingles(texts, size, most) for size in SIZES]
    lines = np.concatenate([np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(each.offsets)) for each in found])
    columns = np.concatenate([each.hashes >> np.uint32(32 - BITS) for each in found]).astype(np.int32)
    counts = csr_matrix((np.ones(len(lines), np.float32), (lines, columns)), shape=(len(texts), 1 << BITS))
    counts.sum_duplicates()
    return counts
