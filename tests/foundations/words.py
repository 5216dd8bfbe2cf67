"""Small made-up texts for the tests of the foundations, the same on every call."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

ENGLISH = [
    "the", "a", "small", "old", "quiet", "river", "house", "garden", "teacher", "child",
    "letter", "morning", "winter", "walks", "writes", "finds", "loses", "sees", "under", "near",
]  # fmt: skip
FRENCH = [
    "le", "la", "petite", "vieille", "rivière", "maison", "école", "enfant", "lettre", "matin",
    "hiver", "marche", "écrit", "trouve", "perd", "voit", "sous", "près", "l'été", "qu'il",
]  # fmt: skip

SMALL = """
layers: 1
width: 32
heads: 2
context: 32
vocabulary: 300
steps: 3
held_out: [{files: "${TEXTS}/2.txt"}]
"""  # the part of a pretraining recipe that the tests share; what they read differs


def lines(count: int, seed: int = 0) -> list[str]:
    """Lines of five to twelve words, half of them French."""
    chosen = random.Random(seed)
    return [
        " ".join(chosen.choices((ENGLISH, FRENCH)[place % 2], k=chosen.randint(5, 12))).capitalize() + "."
        for place in range(count)
    ]


def text(count: int, seed: int = 0) -> str:
    """The same as one text."""
    return "\n".join(lines(count, seed)) + "\n"


def recipe_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, recipe: str) -> Path:
    """Three small texts and a pretraining recipe that finds them by the variable TEXTS; returns the recipe's place."""
    monkeypatch.setenv("TEXTS", str(folder))
    for number in range(3):
        (folder / f"{number}.txt").write_text(text(120, number), "utf-8")
    (folder / "recipe.yaml").write_text(recipe)
    return folder / "recipe.yaml"
