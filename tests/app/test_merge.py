"""`accordeur merge` on a run of a comparison, and on what is none."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from accordeur.adapted import reopen
from accordeur.app.cli import app
from accordeur.compare import compare
from accordeur.errors import RecipeError
from accordeur.store import is_sealed
from tests.compare.shop import recipe_for


def test_a_run_becomes_a_plain_folder(tmp_path: Path) -> None:
    recipe = recipe_for(tmp_path, methods={"lora": {"epochs": 1, "rate": 1e-3}})
    compare(recipe)
    out = tmp_path / "merged"
    said = CliRunner().invoke(app, ["merge", str(tmp_path / "out" / "runs" / "lora-s0"), "--out", str(out)])
    assert said.exit_code == 0, said.exception
    assert "test rows answered the same" in said.stdout and "largest logit difference" in said.stdout
    assert is_sealed(out) and (out / "model.safetensors").is_file() and (out / "tokenizer.json").is_file()
    model = reopen(out)
    assert model.facts()["moves_base"]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["merge", str(tmp_path), "--out", str(tmp_path / "merged")])
    assert isinstance(said.exception, RecipeError)
    assert "recipe.yaml" in str(said.exception)
