"""One tiny decoder per kind of tokenizer, for the same FLOPs."""

from __future__ import annotations

from pathlib import Path

from accordeur.context import Context
from accordeur.foundations.corpus import sources
from accordeur.foundations.shapes import Shape
from accordeur.foundations.tokenizer_comparison import KINDS
from accordeur.foundations.tokenizer_models import train_per_kind
from tests.foundations.words import text


def test_every_kind_gets_the_same_flops(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.txt").write_text(text(60, number), "utf-8")
    parts = [tuple(sources([tmp_path / f"{number}.txt"])) for number in range(2)]
    shape = Shape(layers=1, width=32, heads=2, context=32, vocabulary=300)
    flops = 10 * shape.row_flops() * 8
    rows = list(train_per_kind(parts[0], parts[1], shape, flops, Context(seed=0, folder=tmp_path, cache=tmp_path)))
    assert [row.kind for row in rows] == list(KINDS)
    by = {row.kind: row for row in rows}
    assert by["bpe"].steps == 10
    assert by["char"].vocabulary < 60 < by["bpe"].vocabulary
    assert by["char"].steps > 10
    assert all(0 < row.bits_per_character < 10 for row in rows)
