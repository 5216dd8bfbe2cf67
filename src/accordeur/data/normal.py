"""When two texts count as the same, and when a text counts as empty."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from accordeur.example import Example, flatten

SPECIAL = r"<\|[^<>|\s]{1,40}\|>|</?s>|<(?:unk|pad|mask|bos|eos)>|\[(?:INST|/INST|CLS|SEP|PAD|MASK|UNK)\]"
SPECIAL_TOKEN = re.compile(SPECIAL)
NO_WIDTH = r"[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
NOTHING_SEEN = re.compile(rf"(?:{NO_WIDTH}|{SPECIAL})*+\Z")


def is_blank(text: str) -> bool:
    """Whether nothing would be seen: empty, spaces, characters of no width, or only special tokens."""
    return NOTHING_SEEN.match(text) is not None


def plain(text: str) -> str:
    """A text for comparison: composed (NFC), case folded, runs of white space as one space."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.casefold().split())


def key_of(parts: list[str]) -> bytes:
    """A 16-byte name under which texts that count as the same meet (blake2b of their plain form)."""
    joined = "\x1f".join(plain(part) for part in parts)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def given_key(example: Example) -> bytes:
    """The key of what is given; of the text itself where nothing is given (raw text)."""
    parts = [flatten(value) for value in example.given.values()]
    return key_of(parts or [flatten(example.expected)])


class Keys:
    """The keys of examples of one kind, each computed once; the examples must outlive it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._given: dict[int, bytes] = {}

    def given(self, example: Example) -> bytes:
        """The key of what is given."""
        key = self._given.get(id(example))
        if key is None:
            key = self._given[id(example)] = given_key(example)
        return key

    def row(self, example: Example) -> bytes:
        """The key under which two rows are duplicates: what is given, with the answer where many answers may be right."""
        if self.kind in ("write", "prefer"):
            return self.given(example) + key_of([flatten(example.expected)])
        return self.given(example)

    def bond(self, example: Example) -> bytes:
        """The key of rows that must stay in one split: the same given, or for extract the same context."""
        return key_of([flatten(example.given["context"])]) if self.kind == "extract" else self.given(example)
