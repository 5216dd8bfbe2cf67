"""The base that needs no download."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accordeur.base import find_base
from accordeur.foundations import default
from accordeur.foundations.default import default_decoder, tiny_decoder
from accordeur.store import is_sealed


def test_a_tiny_decoder_is_made_once_and_opens(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    folder = tiny_decoder(tmp_path, lambda **values: said.append(values), steps=2)
    base = find_base(str(folder))
    model, tokenizer = base.load()
    assert is_sealed(folder)
    assert base.family == "decoder"
    assert model.config.n_layer == 2
    assert len(tokenizer) == 2000
    count = len(said)
    assert tiny_decoder(tmp_path, lambda **values: said.append(values), steps=2) == folder
    assert len(said) == count


def test_without_an_embedded_base_the_default_is_the_tiny_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(default, "EMBEDDED", tmp_path / "none")
    monkeypatch.setattr(default, "tiny_decoder", lambda cache, note: cache / "tiny")
    assert default_decoder(tmp_path) == tmp_path / "tiny"


def test_an_embedded_base_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    monkeypatch.setattr(default, "EMBEDDED", tmp_path)
    assert default_decoder(tmp_path / "cache") == tmp_path
