"""Sentence vectors of real messages by MiniLM: our encoder against sentence-transformers' own `encode`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from accordeur.base import default_encoder
from accordeur.models._vectors import Vectors, text_items
from accordeur.training.device import plan_device
from benchmarks._worker import Work

SAMPLE = Path("src/accordeur/assets/sample/messages.jsonl")
LIMIT = 256  # tokens; that of the sentence-transformers folder


def texts(rows: int) -> list[str]:
    """SMS where the data folder is set, else the embedded messages."""
    data = os.environ.get("ACCORDEUR_DATA")
    path = Path(data) / "sms_spam" / "train.jsonl" if data else SAMPLE
    return [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()[:rows]]


def ours(rows: int) -> Callable[[], Work]:
    vectors = Vectors(base=default_encoder(), pooling="mean", device=plan_device("cpu", threads=torch.get_num_threads()))
    given, codec = texts(rows), vectors.codec(LIMIT)
    vectors.of_items(text_items(given[:8], codec))

    def work() -> Work:
        vectors.of_items(text_items(given, codec))
        return Work(units=len(given))

    return work


def peer(rows: int) -> Callable[[], Work]:
    from sentence_transformers import SentenceTransformer

    model, given = SentenceTransformer(str(default_encoder().path), device="cpu"), texts(rows)
    model.encode(given[:8])

    def work() -> Work:
        model.encode(given)
        return Work(units=len(given))

    return work


def gate(rows: int) -> dict[str, float]:
    """The vectors themselves: largest difference, and the cosine of all of them together."""
    from sentence_transformers import SentenceTransformer

    given = texts(min(rows, 64))
    vectors = Vectors(base=default_encoder(), pooling="mean", device=plan_device("cpu", threads=torch.get_num_threads()))
    found = vectors.of_items(text_items(given, vectors.codec(LIMIT)))
    expected = SentenceTransformer(str(default_encoder().path), device="cpu").encode(given)
    cosine = float((found * expected).sum() / np.sqrt((found**2).sum() * (expected**2).sum()))
    return {"loss_difference": float(np.abs(found - expected).max()), "cosine": cosine}


SIDES = {"ours": ours, "peer": peer, "gate": gate}
