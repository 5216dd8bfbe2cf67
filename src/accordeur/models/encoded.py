"""The train rows as ids, encoded once for all methods, seeds and candidates that read them through one tokenizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from accordeur.base import Base
from accordeur.example import Encoded
from accordeur.store import digest, fingerprint
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.training.tokens import kept_tokens

TOKENS_FOLDER = "tokens"
ENCODERS = ("tasks", "data")  # the code that decides what the ids of a row are


def train_items(task: Task, base: Base, cache_folder: Path) -> Sequence[Encoded]:
    """All windows of all train rows, kept on disk under a name made of rows, base and encoding.

    Windows without anything to learn from are left out (the checks have counted them).
    """
    name = fingerprint([task.fingerprint, base.fingerprint, encoding_version()])
    return kept_tokens(cache_folder / TOKENS_FOLDER / name, lambda: encoded(task, base))


def encoded(task: Task, base: Base) -> Iterator[Encoded]:
    """The rows one by one."""
    codec = Codec(tokenizer=base.tokenizer(), family=base.family, max_length=task.max_length)
    kind = kind_of(task.kind)
    for row, example in enumerate(task.train):
        yield from (item for item in kind.encode(example, row, task, codec) if item.units)


@cache
def encoding_version() -> str:
    """A digest of the code that encodes: another version encodes anew."""
    root = Path(str(resources.files("accordeur")))
    paths = sorted(path for name in ENCODERS for path in (root / name).rglob("*.py"))
    return digest(b"".join(path.read_bytes() for path in paths))[:12]
