"""When two texts count as the same, and when a text counts as empty."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from accordeur.example import Example, flatten

SPECIAL = r"<\|[^<>|\s]{1,40}\|>|</?s>|<(?:unk|pad|mask|bos|eos)>|\[(?:INST|/INST|CLS|SEP|PAD|MASK|UNK)\]"
SPECIAL_TOKEN = re.compile(SPECIAL)
NO_WIDTH = r"[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
NOTHING_SEEN = re.compile(rf"(?:{NO_WIDTH}|{SPECIAL})*+\Z")
KEY_BYTES = 16


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
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


def given_key(example: Example) -> bytes:
    """The key of what is given; of the text itself where nothing is given (raw text)."""
    parts = [flatten(value) for value in example.given.values()]
    return key_of(parts or [flatten(example.expected)])


def row_key(example: Example) -> bytes:
    """The key of what is given and of the answer."""
    return given_key(example) + key_of([flatten(example.expected)])


def context_key(example: Example) -> bytes:
    """The key of the context."""
    return key_of([flatten(example.given["context"])])


class Key(NamedTuple):
    """A name under which a row meets its equals: how it is made, and its bytes."""

    of: Callable[[Example], bytes]
    width: int


def keys_of(kind: str) -> dict[str, Key]:
    """The keys of a kind's rows.

    `given`: what is given. `row`: duplicates, where many answers may be right, so that these are the same with the answer
    (else as given). `bond`: rows that must stay in one split, where this is not the same given but, for extract, the context.
    """
    keys = {"given": Key(given_key, KEY_BYTES)}
    if kind in ("write", "prefer"):
        keys["row"] = Key(row_key, 2 * KEY_BYTES)
    if kind == "extract":
        keys["bond"] = Key(context_key, KEY_BYTES)
    return keys
