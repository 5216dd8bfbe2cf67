"""Rows and models of the benchmarks: Alpaca rows under the GPT-2 tokenizer, GPT-2's exact shape with random weights."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from accordeur.example import IGNORED, Encoded

END = 50256
LENGTH = 512


def data_folder() -> Path:
    folder = os.environ.get("ACCORDEUR_DATA")
    if not folder:
        raise SystemExit("set ACCORDEUR_DATA to the folder of the data sets")
    return Path(folder)


def tokenizer() -> Any:
    from transformers import GPT2TokenizerFast

    return GPT2TokenizerFast.from_pretrained(data_folder() / "gpt2_tokenizer")


def alpaca(rows: int) -> list[tuple[list[int], list[int]]]:
    """(prompt ids, answer ids with the end token), the first rows of the file, none longer than LENGTH."""
    coder = tokenizer()
    pairs = []
    with (data_folder() / "alpaca_en" / "train.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            given = f"{row['instruction']}\n{row['input']}".strip()
            prompt = coder.encode(f"### Instruction:\n{given}\n\n### Response:\n")
            answer = [*coder.encode(row["output"]), END]
            if len(prompt) + len(answer) <= LENGTH:
                pairs.append((prompt, answer))
            if len(pairs) == rows:
                return pairs
    return pairs


def encoded(pairs: list[tuple[list[int], list[int]]]) -> list[Encoded]:
    """Loss on the answer only; the end token is asked and never read."""
    items: list[Encoded] = []
    for prompt, answer in pairs:
        ids = np.array(prompt + answer, dtype=np.int32)
        target = np.full(len(ids), IGNORED, dtype=np.int32)
        target[len(prompt) - 1 : -1] = answer
        items.append(Encoded(tokens=ids[:-1], target=target[:-1], row=len(items)))
    return items


def gpt2(**other: Any) -> Any:
    """GPT-2-124M with random weights: speed doesn't depend on the values."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(**other))


def small_decoder() -> Any:
    """A decoder of 25 million parameters under the GPT-2 vocabulary."""
    return gpt2(n_layer=6, n_embd=256, n_head=8)


def padding(lengths: list[list[int]]) -> float:
    """Share of padding, for the lengths of the rows of each batch."""
    return 1 - sum(map(sum, lengths)) / sum(len(batch) * max(batch) for batch in lengths)


def saved(model: Any, folder: Path) -> Any:
    """A model with the GPT-2 tokenizer in a folder, as a base."""
    from accordeur.base import find_base

    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return find_base(str(folder))


def instructions(begin: int, end: int) -> tuple[Any, ...]:
    """Alpaca rows of a range of places as examples."""
    from itertools import islice

    from accordeur.example import Example

    with (data_folder() / "alpaca_en" / "train.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in islice(lines, begin, end)]
    return tuple(
        Example(id=row["id"], given={"instruction": row["instruction"], "input": row["input"]}, expected=row["output"])
        for row in rows
    )
