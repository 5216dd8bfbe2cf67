"""A small dataset and recipe on which whole comparisons run in seconds."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from accordeur.recipe import Recipe, parse_recipe
from tests.bases import tiny

WORDS = {"cat": "paw fur purr whisker", "dog": "bark leash fetch kennel", "bird": "wing beak nest feather"}
FILLER = "the a lazy quick fox jumps over in Paris London and it was".split()


def labelled_rows(count: int = 90, seed: int = 0) -> list[dict[str, str]]:
    """Texts that a few words give away."""
    source = random.Random(seed)
    rows = []
    for place in range(count):
        label = list(WORDS)[place % 3]
        words = source.sample(FILLER, 5) + source.sample(WORDS[label].split(), 2)
        source.shuffle(words)
        rows.append({"text": f"{' '.join(words)} {place}", "label": label})
    return rows


def instruction_rows(count: int = 60, seed: int = 0) -> list[dict[str, str]]:
    source = random.Random(seed)
    names = ["Ada", "Paul", "Lille", "Paris", "Noël"]
    return [
        {"instruction": f"Say {name} {place}", "input": "" if place % 2 else "now", "output": f"{name}!"}
        for place in range(count)
        for name in [source.choice(names)]
    ]


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def recipe_for(folder: Path, family: str = "encoder", shape: str = "classify", **other: Any) -> Recipe:
    rows = labelled_rows() if shape == "classify" else instruction_rows()
    data = write_rows(folder / f"{shape}.jsonl", rows)
    values = {"data": str(data), "base": str(tiny(family).path), "out": str(folder / "out"), "budget": 0.05, **other}
    return parse_recipe({"max_length": 128, **values})
