"""Rows of the pretraining objectives over memory-mapped ids: masked, masked with a next sentence, corrupted spans."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.errors import RecipeError
from accordeur.example import IGNORED, Encoded
from accordeur.foundations.objectives import Corruption, Ids, Masking, corrupt, joined, mask, word_starts
from accordeur.foundations.stored import Stored
from accordeur.store import fingerprint
from accordeur.training.even import Even

PIECE = 2**24  # ids looked through at once
COPIES = 10  # of every row, each masked anew, as BERT's authors did: the loop meets another mask in every pass


class Rows(Even):
    """Row i is a pure function of text, seed and i, so that a resumed run sees what an uninterrupted one does."""

    def __init__(self, stored: Stored, size: int, *, seed: int, copies: int = COPIES) -> None:
        self.ids = stored.ids
        self.size = size  # tokens of the text in a row
        self.seed = seed
        self.blocks = max(1, stored.tokens // size)
        self.copies = copies
        self.digest = fingerprint([type(self).__name__, stored.digest, size, seed, copies])

    def __len__(self) -> int:
        return self.blocks * self.copies

    def row(self, place: int) -> Encoded:
        """A block, made by the lot of its place."""
        return self.made(place % self.blocks, np.random.default_rng([self.seed, place, 0x0B7]), place)

    def block(self, number: int, size: int | None = None) -> Ids:
        """The tokens of the text of one block."""
        start = number * self.size
        return np.asarray(self.ids[start : start + (size or self.size)], dtype=np.int32)

    @abstractmethod
    def made(self, block: int, rng: np.random.Generator, row: int) -> Encoded:
        """The row of a block."""


class MaskedRows(Rows):
    """[CLS] text [SEP], some of it masked."""

    def __init__(self, stored: Stored, length: int, tokenizer: Any, *, seed: int, whole_words: bool = False) -> None:
        Rows.__init__(self, stored, length - 2, seed=seed)
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

    The answer, 0 where it follows and 1 where not, is the target at [CLS], which is never masked.
    """

    def __init__(self, stored: Stored, length: int, tokenizer: Any, *, seed: int) -> None:
        Rows.__init__(self, stored, length - 3, seed=seed)
        self.masking = masking_of(tokenizer, whole_words=False)
        self.marks = (int(tokenizer.cls_token_id), int(tokenizer.sep_token_id))
        self.ends = places_of(self.marks[1], stored.ids)  # a separator stands after every document
        self.documents = np.searchsorted(self.ends, np.arange(self.blocks) * self.size)
        if len(np.unique(self.documents)) < 2:
            raise RecipeError(
                "next-sentence prediction needs text of at least two documents, each longer than a row",
                hint="give more files, a shorter context, or objective masked",
            )

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
        """A block of another document, by lot."""
        while True:
            other = int(rng.integers(self.blocks))
            if self.documents[other] != self.documents[block]:
                return other


class SpanRows(Rows):
    """T5's: the text with spans lost, and the spans."""

    def __init__(self, stored: Stored, length: int, tokenizer: Any, *, seed: int) -> None:
        Rows.__init__(self, stored, length, seed=seed)
        sentinels = [
            f"<extra_id_{number}>" for number in range(len(tokenizer)) if f"<extra_id_{number}>" in tokenizer.get_vocab()
        ]
        if not sentinels:
            raise RecipeError("the tokenizer has no sentinels <extra_id_0> …, which span corruption needs")
        ids = tuple(tokenizer.convert_tokens_to_ids(sentinels))
        self.corruption = Corruption(sentinels=ids, end_id=int(tokenizer.eos_token_id))

    def made(self, block: int, rng: np.random.Generator, row: int) -> Encoded:
        """See the class."""
        return corrupt(self.block(block), self.corruption, rng, row)


def places_of(wanted: int, ids: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
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


def with_labels(target_BT: Any) -> tuple[Any, Any]:
    """Masked targets and next-sentence labels of `PairRows`, taken apart: (B, T) without the first column's labels, (B,)."""
    masked = target_BT.clone()
    labels = masked[:, 0].clone()
    masked[:, 0] = IGNORED
    return masked, labels
