"""Whole comparisons over ways of moving weights: each ends done, measured, and opens again."""

from __future__ import annotations

from pathlib import Path

import pytest

from accordeur.adapted import reopen
from accordeur.compare import compare
from accordeur.run import load_run

from .shop import recipe_for

FAST = {"epochs": 0.2, "rate": 1e-3}
MOVING = ("prefix", "adapter", "contrast")


@pytest.mark.slow
@pytest.mark.parametrize(("family", "kind"), [("encoder", "classify"), ("decoder", "classify")])
def test_each_ends_done_with_forgetting_and_cost(family: str, kind: str, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n\n".join(f"The lazy fox jumps over {place} dogs in Paris." for place in range(40)), encoding="utf-8")
    methods = dict.fromkeys(MOVING, FAST)
    reading = {"domain": {"epochs": 1.0}, "domain+lora": {"epochs": 0.2, "rate": 1e-3}}
    compare(recipe_for(tmp_path, family, kind, methods={**methods, **reading}, text=str(corpus), budget=0.02))
    for name in (*methods, *reading):
        folder = tmp_path / "out" / "runs" / f"{name}-s0"
        run = load_run(folder)
        assert (run.status, run.reason) == ("done", None), name
        assert run.forgetting is not None and run.forgetting["metric"].startswith("general")
        assert run.cost.trainable_parameters > 0 and run.cost.artifact_bytes > 0
        reopen(folder / "model")
