"""Tiny bases of the three families, written to a folder with their tokenizer, offline: what the tests adapt."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
import transformers as hf

from accordeur.base import Base, find_base
from tests.tasks.conftest import FAMILIES

WIDTH = 64
POSITIONS = 128


def config_of(family: str, tokenizer: Any, layers: int, width: int) -> Any:
    size = len(tokenizer)
    if family == "encoder":
        return hf.BertConfig(
            vocab_size=size, hidden_size=width, num_hidden_layers=layers, num_attention_heads=4, intermediate_size=2 * width,
            max_position_embeddings=POSITIONS, pad_token_id=tokenizer.pad_token_id,
        )  # fmt: skip
    if family == "decoder":
        return hf.GPT2Config(
            vocab_size=size, n_embd=width, n_layer=layers, n_head=4, n_positions=POSITIONS,
            bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        )  # fmt: skip
    return hf.T5Config(
        vocab_size=size, d_model=width, d_ff=2 * width, num_layers=layers, num_heads=4, d_kv=width // 4, decoder_start_token_id=0,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip


MODELS = {"encoder": hf.BertModel, "decoder": hf.GPT2LMHeadModel, "encoder-decoder": hf.T5ForConditionalGeneration}


def write_base(folder: Path, family: str, *, seed: int = 0, layers: int = 2, width: int = WIDTH) -> Base:
    """A base with random weights in a folder."""
    tokenizer = FAMILIES[family]()
    torch.manual_seed(seed)
    MODELS[family](config_of(family, tokenizer, layers, width)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return find_base(str(folder))


@cache
def tiny(family: str, seed: int = 0) -> Base:
    """A tiny base that all tests of a process share; nobody may write to it."""
    return write_base(Path(mkdtemp(prefix=f"accordeur-{family}-")), family, seed=seed)
