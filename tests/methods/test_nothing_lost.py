"""Methods that can't be done in a comparison: each says why in its run, and the others end as if it weren't there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from accordeur.app.cli import app
from accordeur.compare import compare
from accordeur.errors import ModelError
from accordeur.run import load_run
from tests.compare.shop import recipe_for

WRONG: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("lora", {"rank": 4096}, "classify", "failed", "rank 4096 is above"),
    ("lora", {"targets": ["nowhere"]}, "classify", "failed", "matches no layer"),
    ("freeze", {"layers": 99}, "classify", "failed", "expected 1 to"),
    ("contrast", {}, "write", "skipped", "kind classify with labels only"),
    ("head", {}, "write", "skipped", "kind classify with labels only"),
    ("domain", {}, "classify", "skipped", "--text"),
]


@pytest.mark.parametrize(("name", "settings", "shape", "status", "reason"), WRONG)
def test_the_others_go_on(name: str, settings: dict[str, Any], shape: str, status: str, reason: str, tmp_path: Path) -> None:
    family = "encoder" if shape == "classify" else "decoder"
    compare(recipe_for(tmp_path, family, shape, methods={"majority": {}, name: settings}, budget=0.01))
    run = load_run(tmp_path / "out" / "runs" / f"{name}-s0")
    assert run.status == status and reason in str(run.reason)
    assert load_run(tmp_path / "out" / "runs" / "majority-s0").status == "done"


def test_a_bit_flipped_in_a_run_stops_merging_before_anything_is_written(tmp_path: Path) -> None:
    compare(recipe_for(tmp_path, methods={"lora": {"epochs": 0.2, "rate": 1e-3}}, budget=0.01))
    run = tmp_path / "out" / "runs" / "lora-s0"
    file = run / "model" / "adapter_model.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 4
    file.write_bytes(content)
    said = CliRunner().invoke(app, ["merge", str(run), "--out", str(tmp_path / "merged")])
    assert isinstance(said.exception, ModelError) and "sha256" in said.exception.message
    assert said.exception.exit_code == 4 and not (tmp_path / "merged").exists()
