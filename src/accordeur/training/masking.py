"""Masked language modelling for encoders: the model, the masked rows, and how well it guesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from accordeur.errors import NotApplicable
from accordeur.example import IGNORED, Encoded, IntArray

SHARE = 0.15  # of the tokens are asked (Devlin et al. 2019)
MASKED, REPLACED = 0.8, 0.1  # of these become the mask, another token; the rest stay
HEADS = ("cls.", "lm_head.", "vocab_", "generator_", "generator_lm_head", "head.", "decoder.", "predictions.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Masked(Sequence[Encoded]):
    """Blocks of token ids, each `copies` times over with other tokens masked; made when asked for, by seed and place."""

    blocks: Sequence[IntArray]
    mask: int
    vocabulary: int
    special: frozenset[int]
    seed: int
    copies: int = 1

    def __len__(self) -> int:
        return len(self.blocks) * self.copies

    @overload
    def __getitem__(self, place: int) -> Encoded: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Encoded]: ...
    def __getitem__(self, place: int | slice) -> Encoded | Sequence[Encoded]:
        """One masked block."""
        if isinstance(place, slice):
            return [self[other] for other in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        random = np.random.default_rng([self.seed, place, 0x3A5C])
        tokens = np.array(self.blocks[place % len(self.blocks)], np.int32)
        plain = np.flatnonzero([token not in self.special for token in tokens])
        asked = random.choice(plain, max(1, round(SHARE * len(plain))), replace=False)
        target = np.full(len(tokens), IGNORED, np.int32)
        target[asked] = tokens[asked]
        kind = random.random(len(asked))
        tokens[asked[kind < MASKED]] = self.mask
        other = asked[(kind >= MASKED) & (kind < MASKED + REPLACED)]
        tokens[other] = random.integers(0, self.vocabulary, len(other))
        return Encoded(tokens=tokens, target=target, row=place)


def load_masked(folder: Path) -> tuple[Any, bool]:
    """(the encoder with its masked-language head, whether that head is new): some bases are saved without theirs.

    Raises NotApplicable where the family has no masked language model.
    """
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if type(config) not in transformers.MODEL_FOR_MASKED_LM_MAPPING:
        raise NotApplicable(f"a {config.model_type} has no masked language model")
    transformers.utils.logging.set_verbosity_error()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # a new head starts the same for every run
        model, loaded = transformers.AutoModelForMaskedLM.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    missing = sorted(loaded["missing_keys"])
    inside = [key for key in missing if not key.startswith(HEADS) and "pooler" not in key]
    if inside:
        raise NotApplicable(f"tensors of the encoder itself are missing: {', '.join(inside[:5])}")
    return model.eval(), bool(missing)
