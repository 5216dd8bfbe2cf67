"""What the choice of a tokenizer does to a model: one tiny decoder per kind, each for the same FLOPs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from accordeur.context import Context
from accordeur.foundations.corpus import Source
from accordeur.foundations.pretrain import PretrainRequest, prepare, pretrain
from accordeur.foundations.shapes import Shape
from accordeur.foundations.tokenizer_comparison import KINDS
from accordeur.foundations.tokenizers import Kind
from accordeur.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One tiny decoder. Where much is unknown the bits are flattered: an unknown token hides the characters it stands for."""

    kind: Kind
    vocabulary: int
    steps: int
    bits_per_character: float


def train_per_kind(
    texts: tuple[Source, ...], held_out: tuple[Source, ...], shape: Shape, flops: float, context: Context
) -> Iterator[Trained]:
    """A decoder of this shape per kind of tokenizer, all trained for `flops`, scored on the held-out text."""
    settings = TrainingSettings(
        rate=shape.rate, betas=(0.9, 0.95), weight_decay=0.1, warmup=0.05, schedule="linear", batch_rows=8, patience=None
    )
    for kind in KINDS:
        request = PretrainRequest(
            texts=texts, held_out=held_out, shape=shape, settings=settings, tokenizer_kind=kind, steps=1, exact_vocabulary=False
        )
        part = context.part(kind)
        size = vocabulary_size(request, part)
        steps = max(1, round(flops / (replace(shape, vocabulary=size).row_flops() * settings.batch_rows)))
        done = pretrain(replace(request, steps=steps), part.folder / "base", part)
        assert done.bits_per_character is not None
        yield Trained(kind=kind, vocabulary=size, steps=steps, bits_per_character=done.bits_per_character)


def vocabulary_size(request: PretrainRequest, context: Context) -> int:
    """How many entries the tokenizer came to have: a kind may find fewer than were asked for."""
    return len(prepare(request, context).tokenizer)
