"""Sentence vectors of a frozen base, computed by its own pooling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.adapted import FloatArray
from accordeur.base import Base
from accordeur.errors import Interrupted
from accordeur.example import Encoded, Example
from accordeur.plan import DevicePlan
from accordeur.task import Task
from accordeur.tasks import Codec, kind_of
from accordeur.training.features import FeatureCache, encode

CHUNK = 2048  # items encoded between two looks at whether to stop


def text_items(texts: Sequence[str], codec: Codec) -> list[Encoded]:
    """Plain texts as ids, cut to the codec's limit."""
    return [Encoded(tokens=codec.cut(codec.framed(text)[0]), row=row) for row, text in enumerate(texts)]


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """A base asked for sentence vectors; loaded once, at first use."""

    base: Base
    pooling: str
    device: DevicePlan
    cache: Path | None = None
    stop: Callable[[], bool] = bool  # polled between chunks

    @cached_property
    def loaded(self) -> tuple[Any, Any]:
        """(trunk, tokenizer)."""
        return self.base.load(language_head=False)

    def codec(self, max_length: int) -> Codec:
        """The base's own tokenizer with a limit that its positions allow."""
        return Codec(tokenizer=self.loaded[1], family=self.base.family, max_length=max_length)

    def of_items(self, items: Sequence[Encoded]) -> FloatArray:
        """(items, width), of length one where the base declares it so. Chunk by chunk, so that one can stop between two."""
        parts = [self.chunk(items[start : start + CHUNK]) for start in range(0, len(items), CHUNK)]
        vectors = np.concatenate(parts) if parts else np.zeros((0, self.base.hidden_size), np.float32)
        if not self.base.normalised:
            return vectors
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)

    def chunk(self, items: Sequence[Encoded]) -> FloatArray:
        """Vectors of a few thousand items, read back from the cache where they were computed before."""
        if self.stop():
            raise Interrupted("stopped on request", hint="the same command goes on from here")
        trunk, _ = self.loaded
        cache = FeatureCache(folder=self.cache / "features", base=self.base.fingerprint) if self.cache else None
        return encode(trunk, items, self.pooling, self.device, self.codec(1).pad, cache)

    def of_examples(self, examples: Sequence[Example], task: Task) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Vectors of all windows of all rows, and the row that each belongs to."""
        kind, codec = kind_of(task.kind), self.codec(task.max_length)
        items = [item for row, example in enumerate(examples) for item in kind.encode(example, row, task, codec)]
        return self.of_items(items), np.asarray([item.row for item in items])
