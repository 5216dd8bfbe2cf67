"""How text becomes token ids for one base, and where in the text every token stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from accordeur.base import Family
from accordeur.errors import ModelError, RecipeError
from accordeur.example import IntArray

PROBE = ("a", "b")  # two texts of which every tokenizer makes some token


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """The tokens of a text, (T,), and the characters [start, stop) that each stands for; some stand for none."""

    ids: IntArray
    starts: IntArray
    stops: IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """The special tokens that a family puts before, between and after its texts, and the segments of all five parts."""

    before: IntArray
    between: IntArray
    after: IntArray
    segments: tuple[IntArray, int, IntArray, int, IntArray] | None = None

    @property
    def size(self) -> int:
        """How many tokens the frame adds."""
        return len(self.before) + len(self.between) + len(self.after)

    def around(self, first: IntArray, second: IntArray | None = None) -> tuple[IntArray, IntArray | None]:
        """Token ids of one text, or of two, with the frame around, and their segments where the family has them."""
        if second is None:
            return np.concatenate([self.before, first, self.after]), None
        tokens = np.concatenate([self.before, first, self.between, second, self.after])
        if self.segments is None:
            return tokens, None
        before, one, between, two, after = self.segments
        full = [before, np.full(len(first), one, np.int32), between, np.full(len(second), two, np.int32), after]
        return tokens, np.concatenate(full)


@dataclass(frozen=True, kw_only=True)
class Codec:
    """How text becomes ids for one base: its tokenizer, and how many tokens a row may have."""

    tokenizer: Any
    family: Family
    max_length: int

    def plain(self, text: str) -> list[int]:
        """The ids of a text without any special token; special tokens spelled in the text stay plain text."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
        if not self.special_ids.intersection(ids):
            return ids
        return [part for identity in ids for part in self.spelled(identity)]

    def pieces(self, text: str) -> Pieces:
        """The same ids with the characters that each stands for. Raises ModelError where a tokenizer can't tell."""
        if not self.tokenizer.is_fast:
            raise ModelError(
                "this tokenizer does not tell where its tokens stand in the text", hint="the base needs a tokenizer.json"
            )
        encoded = self.tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True, verbose=False
        )
        if not self.special_ids.intersection(encoded["input_ids"]):
            places = np.asarray(encoded["offset_mapping"], np.int32).reshape(-1, 2)
            return Pieces(ids=np.asarray(encoded["input_ids"], np.int32), starts=places[:, 0], stops=places[:, 1])
        rows = [
            (part, start, stop)
            for identity, (start, stop) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
            for part in self.spelled(identity)
        ]
        table = np.asarray(rows, np.int32).reshape(-1, 3)
        return Pieces(ids=table[:, 0], starts=table[:, 1], stops=table[:, 2])

    def spelled(self, identity: int) -> list[int]:
        """A token as it is, or letter by letter where it is special: some vocabularies hold `</s>` as a word like any other."""
        if identity not in self.special_ids:
            return [identity]
        letters = self.tokenizer.convert_tokens_to_ids(list(self.tokenizer.convert_ids_to_tokens(identity)))
        return [self.unknown if letter is None else letter for letter in letters]

    def framed(self, text: str, pair: str | None = None) -> tuple[IntArray, IntArray | None]:
        """The ids of a text (or of two) with the family's special tokens around, uncut, and their segments if there are any."""
        first = np.asarray(self.plain(text), np.int32)
        if pair is None:
            return self.frame.around(first)
        return self.pair_frame.around(first, np.asarray(self.plain(pair), np.int32))

    @cached_property
    def opening(self) -> tuple[int, ...]:
        """What the tokenizer puts before every text of a decoder: a BOS token, or nothing."""
        empty = list(self.tokenizer("")["input_ids"])
        end, start = self.tokenizer.eos_token_id, self.tokenizer.bos_token_id
        return tuple(identity for identity in empty if identity != end or identity == start)[:1]

    @cached_property
    def frame(self) -> Frame:
        """What stands around one text."""
        ids = np.asarray(self.tokenizer(PROBE[0], verbose=False)["input_ids"], np.int32)
        text = np.asarray(self.plain(PROBE[0]), np.int32)
        place = located(text, ids, 0)
        return Frame(before=ids[:place], between=ids[:0], after=ids[place + len(text) :])

    @cached_property
    def pair_frame(self) -> Frame:
        """What stands around two texts; a line break between them where the family has no sign for it."""
        encoded = self.tokenizer(*PROBE, return_token_type_ids=True, verbose=False)
        ids = np.asarray(encoded["input_ids"], np.int32)
        one, two = (np.asarray(self.plain(text), np.int32) for text in PROBE)
        first = located(one, ids, 0)
        second = located(two, ids, first + len(one))
        before, between, after = ids[:first], ids[first + len(one) : second], ids[second + len(two) :]
        segments = None
        if "token_type_ids" in self.tokenizer.model_input_names:
            kinds = np.asarray(encoded["token_type_ids"], np.int32)
            parts = kinds[:first], kinds[first + len(one) : second], kinds[second + len(two) :]
            segments = parts[0], int(kinds[first]), parts[1], int(kinds[second]), parts[2]
        if not len(between):
            between = np.asarray(self.plain("\n"), np.int32)
            segments = None
        return Frame(before=before, between=between, after=after, segments=segments)

    def room(self, frame: Frame) -> int:
        """How many tokens of text fit beside the special ones. Raises RecipeError where none does."""
        room = self.max_length - frame.size
        if room < 2:
            raise RecipeError(
                f"max_length = {self.max_length} leaves {max(0, room)} tokens beside {frame.size} special ones",
                hint=f"set max_length to at least {frame.size + 16}",
            )
        return room

    def cut(self, ids: IntArray) -> IntArray:
        """At most max_length ids; the closing special token is kept where there is one."""
        if len(ids) <= self.max_length:
            return ids
        closing = ids[-1:] if ids[-1] in set(self.tokenizer.all_special_ids) else ids[:0]
        return np.concatenate([ids[: self.max_length - len(closing)], closing])

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """The ids that mean something other than text; the unknown token stands for text."""
        return frozenset(self.tokenizer.all_special_ids) - {self.tokenizer.unk_token_id}

    @property
    def unknown(self) -> int:
        """The id that stands for text the vocabulary does not have."""
        return self.tokenizer.unk_token_id if self.tokenizer.unk_token_id is not None else self.end

    @property
    def pad(self) -> int:
        """The id that fills up short rows. It is always masked, so any id would do."""
        return self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else self.end

    @property
    def end(self) -> int:
        """The id that ends an answer."""
        for name in ("eos_token_id", "sep_token_id", "pad_token_id"):
            found = getattr(self.tokenizer, name, None)
            if found is not None:
                return int(found)
        return 0


def located(part: IntArray, whole: IntArray, start: int) -> int:
    """Where a run of ids first stands in another, at or after `start`. Raises ModelError where it does not."""
    for place in range(start, len(whole) - len(part) + 1):
        if len(part) and np.array_equal(whole[place : place + len(part)], part):
            return place
    raise ModelError("this tokenizer makes other tokens of a text alone than of a text with special tokens around it")
