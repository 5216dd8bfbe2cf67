"""Rows of the pretraining objectives over memory-mapped ids: masked, masked with a next sentence, corrupted spans."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.errors import RecipeError
from accordeur.example import IGNORED, Encoded
from accordeur.foundations.objectives import (
    LOST_SHARE,
    MEAN_SPAN,
    Corruption,
    Ids,
    Masking,
    corrupt,
    joined,
    lost,
    mask,
    word_starts,
)
from accordeur.foundations.stored import Stored
from accordeur.store import fingerprint
from accordeur.training.batches import batch_rows_of_epoch, widths_of
from accordeur.training.even import Even

PIECE = 2**24  # ids looked through at once
COPIES = 10  # of every row, each masked anew, as BERT's authors did: the loop meets another mask in every pass

Places = npt.NDArray[np.int64]


class Rows(Even):
    """Row i is a pure function of text, seed and i, so that a resumed run sees what an uninterrupted one does."""

    def __init__(self, stored: Stored, starts: Places, size: int, *, seed: int, copies: int = COPIES) -> None:
        self.ids = stored.ids
        self.starts = starts  # (blocks,): where each block begins
        self.size = size  # tokens of the text in a row
        self.seed = seed
        self.copies = copies
        self.unread = 1 - len(starts) * size / stored.tokens  # share of the text that is in no row
        self.block_at: npt.NDArray[np.int32] | None = None  # (rows,): the block at each place; None: one after the other
        self.digest = fingerprint([type(self).__name__, stored.digest, len(starts), size, seed, copies])

    def __len__(self) -> int:
        return len(self.starts) * self.copies

    def row(self, place: int) -> Encoded:
        """A block, made by the lot of its place."""
        block = place % len(self.starts) if self.block_at is None else int(self.block_at[place])
        return self.made(block, np.random.default_rng([self.seed, place, 0x0B7]), place)

    def block(self, number: int) -> Ids:
        """The tokens of the text of one block."""
        start = int(self.starts[number])
        return np.asarray(self.ids[start : start + self.size], dtype=np.int32)

    @abstractmethod
    def made(self, block: int, rng: np.random.Generator, row: int) -> Encoded:
        """The row of a block."""


def in_passes(rows: Rows, batch_rows: int) -> Rows:
    """The same rows, placed so that the loop reads every block once before any a second time.

    The loop shuffles the places of all copies at once, by seed and rows a step. Here the blocks are dealt out along its order:
    the places of its first pass hold every block once, those of the second as well, up to the last copy.
    """
    order = np.concatenate(batch_rows_of_epoch(widths_of(rows), batch_rows, rows.seed, 0))
    blocks = len(rows.starts)
    rows.block_at = np.empty(len(order), np.int32)
    for start in range(0, len(order), blocks):
        rows.block_at[np.sort(order[start : start + blocks])] = np.arange(blocks)
    rows.digest += f"-passes-of-{batch_rows}"
    return rows


def once(rows: Rows) -> Rows:
    """The same rows, in one copy."""
    rows.copies = 1
    return rows


class MaskedRows(Rows):
    """[CLS] text [SEP], some of it masked."""

    def __init__(self, stored: Stored, length: int, tokenizer: Any, *, seed: int, whole_words: bool = False) -> None:
        Rows.__init__(self, stored, end_to_end(stored, length - 2), length - 2, seed=seed)
        self.masking = masking_of(tokenizer, whole_words)
        self.marks = (int(tokenizer.cls_token_id), int(tokenizer.sep_token_id))
        self.digest += "-whole-words" if whole_words else ""

    def made(self, block: int, rng: np.random.Generator, row: int) -> Encoded:
        """See the class."""
        cls_id, sep_id = self.marks
        tokens = np.concatenate([[cls_id], self.block(block), [sep_id]]).astype(np.int32)
        shown, target = mask(tokens, self.masking, rng)
        return Encoded(tokens=shown, target=target, segments=np.zeros_like(shown), row=row)


class PairRows(Rows):
    """[CLS] A [SEP] B [SEP]: B follows A in half of the rows and is from another document in the other half.

    A block lies in one document, so that A and B do; what a document leaves over, or a short one holds, is in no row.
    The answer, 0 where it follows and 1 where not, is the target at [CLS], which is never masked.
    """

    def __init__(self, stored: Stored, length: int, tokenizer: Any, *, seed: int) -> None:
        self.masking = masking_of(tokenizer, whole_words=False)
        self.marks = (int(tokenizer.cls_token_id), int(tokenizer.sep_token_id))
        ends = places_of(self.marks[1], stored.ids)  # a separator stands after every document
        starts, self.documents = inside(ends, length - 3)
        if len(np.unique(self.documents)) < 2:
            raise RecipeError(
                "next-sentence prediction needs text of at least two documents, each longer than a row",
                hint="give more files, a shorter context, or objective masked",
            )
        Rows.__init__(self, stored, starts, length - 3, seed=seed)

    def made(self, block: int, rng: np.random.Generator, row: int) -> Encoded:
        """See the class."""
        whole = self.block(block)
        half = len(whole) // 2
        first, second, label = whole[:half], whole[half:], 0
        if rng.random() < 0.5:
            second, label = self.block(self.elsewhere(block, rng))[: len(whole) - half], 1
        pair = joined(first, second, label, self.size + 3, self.marks)
        shown, target = mask(pair.tokens, self.masking, rng)
        target[0] = label
        return Encoded(tokens=shown, target=target, segments=pair.segments, row=row)

    def elsewhere(self, block: int, rng: np.random.Generator) -> int:
        """A block of another document, each as likely as any other."""
        own = self.documents[block]
        first, behind = int(np.searchsorted(self.documents, own)), int(np.searchsorted(self.documents, own, "right"))
        other = int(rng.integers(len(self.starts) - (behind - first)))
        return other if other < first else other + behind - first


class SpanRows(Rows):
    """T5's: the text with spans lost, and the spans."""

    def __init__(self, stored: Stored, length: int, tokenizer: Any, *, seed: int) -> None:
        Rows.__init__(self, stored, end_to_end(stored, length), length, seed=seed)
        self.corruption = corruption_of(tokenizer, length)

    def made(self, block: int, rng: np.random.Generator, row: int) -> Encoded:
        """See the class."""
        return corrupt(self.block(block), self.corruption, rng, row)


def end_to_end(stored: Stored, size: int) -> Places:
    """Where blocks begin that follow one another; a last one that is short is left out where there are others."""
    return np.arange(max(1, stored.tokens // size), dtype=np.int64) * size


def inside(ends: Places, size: int) -> tuple[Places, Places]:
    """Where blocks begin that follow one another inside a document, and each one's document; `ends`: of the documents."""
    begins = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)
    counts = (ends - begins) // size
    documents = np.repeat(np.arange(len(ends)), counts)
    within = np.arange(len(documents)) - np.repeat(np.cumsum(counts) - counts, counts)
    return begins[documents] + within * size, documents


def places_of(wanted: int, ids: npt.NDArray[Any]) -> Places:
    """Where an id stands, looked for piece by piece, as the ids may outgrow the memory."""
    found = [start + np.flatnonzero(ids[start : start + PIECE] == wanted) for start in range(0, len(ids), PIECE)]
    return np.concatenate(found)


def masking_of(tokenizer: Any, whole_words: bool) -> Masking:
    """BERT's masking with a tokenizer's ids. RecipeError where it has no mask token."""
    if tokenizer.mask_token_id is None or tokenizer.cls_token_id is None or tokenizer.sep_token_id is None:
        raise RecipeError(
            "the tokenizer has no [MASK], [CLS] or [SEP] token, so a masked model can't be trained with it",
            hint="train one with --family bert",
        )
    return Masking(
        mask_id=int(tokenizer.mask_token_id),
        vocabulary=len(tokenizer),
        forbidden=frozenset(int(number) for number in tokenizer.all_special_ids),
        word_starts=word_starts(tokenizer) if whole_words else None,
    )


def corruption_of(tokenizer: Any, length: int) -> Corruption:
    """T5's corruption with a tokenizer's sentinels. RecipeError where they are too few for rows of `length` tokens."""
    known = tokenizer.get_vocab()
    sentinels = tuple(known[name] for number in range(len(known)) if (name := f"<extra_id_{number}>") in known)
    if not sentinels:
        raise RecipeError("the tokenizer has no sentinels <extra_id_0> …, which span corruption needs")
    _, spans = lost(length)
    if spans >= len(sentinels):
        raise RecipeError(
            f"rows of {length} tokens lose {spans} spans, for which {len(sentinels)} sentinels <extra_id_0> … are too few",
            hint=f"choose a context of at most {round((len(sentinels) - 1) * MEAN_SPAN / LOST_SHARE)} tokens",
        )
    return Corruption(sentinels=sentinels, end_id=int(tokenizer.eos_token_id))


def with_labels(target_BT: Any) -> tuple[Any, Any]:
    """Masked targets and next-sentence labels of `PairRows`, taken apart: (B, T) without the first column's labels, (B,)."""
    masked = target_BT.clone()
    labels = masked[:, 0].clone()
    masked[:, 0] = IGNORED
    return masked, labels
