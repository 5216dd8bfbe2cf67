"""Tiny models from configurations, rows and settings for the tests of the training core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as hf

from accordeur.example import IGNORED, Encoded
from accordeur.plan import DevicePlan, TrainingPlan
from accordeur.training.loop import Lent
from accordeur.training.settings import TrainingSettings

VOCABULARY = 97
WIDTH = 64
PAD = 0
CPU = DevicePlan(device="cpu", threads=1, micro_tokens=256)


def gpt2(seed: int = 0, dropout: float = 0.0, **other: Any) -> Any:
    torch.manual_seed(seed)
    config = hf.GPT2Config(
        vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=2, n_head=4, n_positions=128, resid_pdrop=dropout, embd_pdrop=dropout,
        attn_pdrop=dropout, bos_token_id=1, eos_token_id=1, initializer_range=0.2, **other,
    )  # fmt: skip
    return hf.GPT2LMHeadModel(config).eval()


def llama(seed: int = 0, **other: Any) -> Any:
    torch.manual_seed(seed)
    config = hf.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, eos_token_id=1, bos_token_id=1, initializer_range=0.2, **other,
    )  # fmt: skip
    return hf.LlamaForCausalLM(config).eval()


def bert_config(dropout: float = 0.0) -> Any:
    return hf.BertConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=128, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
    )  # fmt: skip


def bert(seed: int = 0, dropout: float = 0.0) -> Any:
    torch.manual_seed(seed)
    return hf.BertModel(bert_config(dropout)).eval()


def masked_bert(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return hf.BertForMaskedLM(bert_config()).eval()


def t5(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    config = hf.T5Config(
        vocab_size=VOCABULARY, d_model=WIDTH, d_ff=128, d_kv=16, num_layers=2, num_heads=4, dropout_rate=0.0,
        decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    return hf.T5ForConditionalGeneration(config).eval()


def bart(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    config = hf.BartConfig(
        vocab_size=VOCABULARY, d_model=WIDTH, encoder_ffn_dim=128, decoder_ffn_dim=128, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=4, decoder_attention_heads=4, max_position_embeddings=128, dropout=0.0,
    )  # fmt: skip
    return hf.BartForConditionalGeneration(config).eval()


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def tokens(random: np.random.Generator, length: int) -> np.ndarray:
    return random.integers(2, VOCABULARY, length).astype(np.int32)


def causal_rows(count: int, seed: int = 0, longest: int = 40) -> list[Encoded]:
    random = rng(seed)
    rows = []
    for place in range(count):
        ids = tokens(random, int(random.integers(4, longest)))
        target = np.append(ids[1:], 1).astype(np.int32)
        target[: int(random.integers(0, len(ids) - 1))] = IGNORED
        rows.append(Encoded(tokens=ids, target=target, row=place))
    return rows


def label_rows(count: int, labels: int = 3, seed: int = 0, longest: int = 30) -> list[Encoded]:
    random = rng(seed)
    return [
        Encoded(tokens=tokens(random, int(random.integers(2, longest))), target=int(random.integers(labels)), row=place)
        for place in range(count)
    ]


def learnable_rows(count: int, seed: int = 0) -> list[Encoded]:
    """The label says which of two tokens stands first."""
    random = rng(seed)
    rows = []
    for place in range(count):
        ids, label = tokens(random, int(random.integers(3, 12))), int(random.integers(2))
        ids[0] = 5 + label
        rows.append(Encoded(tokens=ids, target=label, row=place))
    return rows


def plan(steps: int, batch_rows: int = 4, evaluate_every: int = 4) -> TrainingPlan:
    return TrainingPlan(
        steps=steps, batch_rows=batch_rows, evaluate_every=evaluate_every, seconds_per_step=1.0, budget_seconds=float(steps)
    )


def settings(**other: Any) -> TrainingSettings:
    return TrainingSettings(**{"rate": 1e-3, "batch_rows": 4, "patience": None, **other})


def lent(folder: Path, **other: Any) -> Lent:
    values: dict[str, Any] = {
        "device": CPU, "pad": PAD, "seed": 7, "folder": folder, "validate": lambda: 0.0,
        "note": lambda **values: None, "stop": lambda: False, "save_every_seconds": 1e9,
    }  # fmt: skip
    return Lent(**{**values, **other})
