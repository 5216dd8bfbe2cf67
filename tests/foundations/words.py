"""Small made-up texts for the tests of the foundations, the same on every call."""

from __future__ import annotations

import random

ENGLISH = [
    "the", "a", "small", "old", "quiet", "river", "house", "garden", "teacher", "child",
    "letter", "morning", "winter", "walks", "writes", "finds", "loses", "sees", "under", "near",
]  # fmt: skip
FRENCH = [
    "le", "la", "petite", "vieille", "rivière", "maison", "école", "enfant", "lettre", "matin",
    "hiver", "marche", "écrit", "trouve", "perd", "voit", "sous", "près", "l'été", "qu'il",
]  # fmt: skip


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
