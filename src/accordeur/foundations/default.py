"""The base that is there without any download: the embedded one, or a tiny one made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from accordeur.context import silent

ASSETS = Path(__file__).resolve().parent.parent / "assets"
EMBEDDED = ASSETS / "accordeur-mini"
GENERAL = ASSETS / "general"
TAUGHT = (
    GENERAL / "probe.jsonl",
    ASSETS / "sample" / "messages.jsonl",
)  # the general prose stays unseen: forgetting is measured on it
TINY_STEPS = 120
TINY_ROWS = 4


def default_decoder(cache: Path, note: Callable[..., None] = silent) -> Path:
    """The folder of the embedded decoder. Where the package comes without it: a tiny one, trained once into `cache`."""
    if (EMBEDDED / "model.safetensors").is_file():
        return EMBEDDED
    return tiny_decoder(cache, note)


def tiny_decoder(cache: Path, note: Callable[..., None] = silent, steps: int = TINY_STEPS) -> Path:
    """A GPT-2 of 2 layers by 128 on the embedded sentences and messages; the same on every call, kept whole or not at all."""
    from accordeur.store import is_sealed, locked

    out = cache / "tiny-gpt2"
    if is_sealed(out):
        return out
    note(text="no embedded decoder: training a tiny one on the spot")
    with locked(cache / "tiny-gpt2-work"):
        if not is_sealed(out):
            train_tiny(cache, out, note, steps)
    return out


def train_tiny(cache: Path, out: Path, note: Callable[..., None], steps: int) -> None:
    """One short pretraining with everything fixed but the machine's threads."""
    from accordeur.context import Context
    from accordeur.foundations.corpus import sources
    from accordeur.foundations.pretrain import PretrainRequest, pretrain
    from accordeur.foundations.shapes import shape_of
    from accordeur.training.device import plan_device
    from accordeur.training.settings import TrainingSettings

    texts, unseen = tuple(sources(TAUGHT)), tuple(sources(sorted(GENERAL.glob("*.txt"))))
    shape = shape_of("tiny")
    settings = TrainingSettings(
        rate=shape.rate, betas=(0.9, 0.95), weight_decay=0.1, warmup=0.05, schedule="linear", batch_rows=TINY_ROWS, patience=None
    )
    request = PretrainRequest(texts=texts, held_out=unseen, shape=shape, settings=settings, steps=steps, held_out_rows=1)
    context: Any = Context(seed=0, folder=cache / "tiny-gpt2-work", cache=cache, device=plan_device("cpu"), on_note=note)
    pretrain(request, out, context)
