"""Near duplicates: MinHash finds candidates (Broder 1997), the exact Jaccard similarity of their letters decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accordeur.audit.shingles import Shingles, room, shingles

Integers = npt.NDArray[np.int64]
Signatures = npt.NDArray[np.uint32]
BANDS, WIDTH = 24, 5  # a pair of similarity s shares a band with probability 1 - (1 - s**5)**24: 0.988 for 0.7, 0.9999 for 0.8
SLACK = 0.15  # how far 120 hashes may underestimate a similarity of 0.7: 3.6 standard deviations
BLOCK = 1 << 20  # hashes worked on at once, so that they stay in the cache
LEAST_PAIRS, PAIRS_A_ROW = 100_000, 4  # candidates, beyond which the largest buckets are not looked through


@dataclass(frozen=True, kw_only=True, eq=False)
class Twins:
    """Pairs (row, later row, Jaccard similarity); `limited` where there were too many candidates to look at all."""

    pairs: list[tuple[int, int, float]]
    limited: bool = False


def near_twins(texts: Sequence[str], threshold: float) -> Twins:
    """The pairs of texts whose sets of runs of four letters have at least this Jaccard similarity."""
    if len(texts) < 2:
        return Twins(pairs=[])
    found = shingles(texts, 4, room(texts))
    one, other, limited = candidates(signatures(found), threshold - SLACK)
    likeness = jaccard(found, one, other)
    kept = likeness >= threshold
    pairs = zip(one[kept].tolist(), other[kept].tolist(), likeness[kept].tolist(), strict=True)
    return Twins(pairs=sorted(pairs), limited=limited)


def signatures(found: Shingles) -> Signatures:
    """(rows, BANDS * WIDTH): of each row the least of its hashes under that many permutations of the 32-bit numbers."""
    random = np.random.default_rng(0)
    masks = random.integers(0, 1 << 32, BANDS * WIDTH, np.uint32)
    factors = random.integers(0, 1 << 32, BANDS * WIDTH, np.uint32) | np.uint32(1)
    marks = np.empty((BANDS * WIDTH, len(found)), np.uint32)
    start = 0
    while start < len(found):
        stop = max(start + 1, int(np.searchsorted(found.offsets, found.offsets[start] + BLOCK, "right")) - 1)
        hashes = found.hashes[found.offsets[start] : found.offsets[stop]]
        starts = found.offsets[start:stop] - found.offsets[start]
        for place, (mask, factor) in enumerate(zip(masks, factors, strict=True)):
            mixed = hashes ^ mask
            mixed *= factor
            marks[place, start:stop] = np.minimum.reduceat(mixed, starts)
        start = stop
    return np.ascontiguousarray(marks.T)


def candidates(marks: Signatures, least: float) -> tuple[Integers, Integers, bool]:
    """(rows, later rows, whether some were left out): pairs that share a band, and at least this share of all hashes."""
    rows = len(marks)
    kept: Integers = np.zeros(0, np.int64)
    limited, most = False, max(LEAST_PAIRS, PAIRS_A_ROW * rows)
    for band in range(BANDS):
        keys = np.zeros(rows, np.uint64)
        for column in marks[:, band * WIDTH : (band + 1) * WIDTH].T:
            keys = (keys ^ column) * np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(31)
        fresh, cut = bucket_pairs(keys, most)
        limited = limited or cut
        fresh = fresh[agreement(marks, fresh // rows, fresh % rows) >= least]
        kept = np.union1d(kept, fresh)
        if len(kept) > most:  # rows from few templates: more pairs would say nothing new
            return kept // rows, kept % rows, True
    return kept // rows, kept % rows, limited


def bucket_pairs(keys: npt.NDArray[np.uint64], most: int) -> tuple[Integers, bool]:
    """(row * rows + later row of all pairs with the same key, whether there were more than about `most`)."""
    order = np.argsort(keys, kind="stable")
    sorted_keys, rows = keys[order], len(keys)
    pairs: list[Integers] = []
    places = np.arange(rows - 1)
    distance, count = 1, 0
    while len(places):
        places = places[places + distance < rows]
        places = places[sorted_keys[places] == sorted_keys[places + distance]]
        if count + len(places) > most:
            return np.concatenate([*pairs, np.zeros(0, np.int64)]), True
        pairs.append(order[places] * rows + order[places + distance])
        count += len(places)
        distance += 1
    return np.concatenate([*pairs, np.zeros(0, np.int64)]), False


def jaccard(found: Shingles, one: Integers, other: Integers) -> npt.NDArray[np.float64]:
    """|A ∩ B| / |A ∪ B| of the sets of hashes of rows `one[k]` and `other[k]`, exactly."""
    result = np.zeros(len(one))
    sizes = np.diff(found.offsets)
    start = 0
    while start < len(one):  # as many pairs at once as fit into a block
        taken = np.cumsum(sizes[one[start : start + BLOCK]] + sizes[other[start : start + BLOCK]])
        stop = start + max(1, int(np.searchsorted(taken, BLOCK)))
        first, second = (members(found, rows[start:stop]) for rows in (one, other))
        both = np.concatenate([first, second])
        both.sort()
        common = both[1:][both[1:] == both[:-1]] >> np.uint64(32)
        pairs = stop - start
        total = np.bincount((both >> np.uint64(32)).astype(np.int64), minlength=pairs)
        shared = np.bincount(common.astype(np.int64), minlength=pairs)
        result[start:stop] = shared / (total - shared)
        start = stop
    return result


def members(found: Shingles, rows: Integers) -> npt.NDArray[np.uint64]:
    """The different hashes of some rows, each below the place of its row (place << 32 | hash), sorted."""
    lengths = found.offsets[rows + 1] - found.offsets[rows]
    ends = np.cumsum(lengths)
    inside = np.arange(int(ends[-1])) + np.repeat(found.offsets[rows] - (ends - lengths), lengths)
    marked = (np.repeat(np.arange(len(rows), dtype=np.uint64), lengths) << np.uint64(32)) | found.hashes[inside]
    marked.sort()
    return np.asarray(marked[np.concatenate([[True], marked[1:] != marked[:-1]])])


def agreement(marks: Signatures, one: Integers, other: Integers) -> npt.NDArray[np.float64]:
    """The share of equal hashes of each pair: an estimate of its similarity."""
    found = np.zeros(len(one))
    for start in range(0, len(one), BLOCK // 8):
        block = slice(start, start + BLOCK // 8)
        found[block] = (marks[one[block]] == marks[other[block]]).mean(axis=1)
    return found
