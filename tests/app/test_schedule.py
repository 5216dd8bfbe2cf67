"""`accordeur schedule` shows what the training loop would do."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from accordeur.app.cli import app
from accordeur.app.schedule import rates
from accordeur.errors import RecipeError
from accordeur.training.schedules import SHAPES


def test_the_table_follows_the_formula() -> None:
    said = CliRunner().invoke(app, ["schedule", "--kind", "inverse_sqrt", "--steps", "100", "--warmup", "10", "--rate", "0.5"])
    assert said.exit_code == 0
    shown = {int(step): float(value) for step, value in (line.split() for line in said.stdout.splitlines())}
    assert len(shown) == 11 and min(shown) == 1 and max(shown) == 100
    for step, value in shown.items():
        assert value == pytest.approx(0.5 * (step / 10 if step <= 10 else math.sqrt(10 / step)), rel=1e-4)


@pytest.mark.parametrize("kind", SHAPES)
def test_every_kind_rises_to_the_peak_and_never_above(kind: str) -> None:
    values = rates(kind, 200, 0.1, 0.0, 2.0)
    assert len(values) == 200
    assert max(values) == pytest.approx(2.0)
    assert values[:20] == pytest.approx([2.0 * step / 20 for step in range(1, 21)])


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_draws_a_picture(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{ending}"
    said = CliRunner().invoke(app, ["schedule", "--kind", "cosine", "--plot", str(path)])
    assert said.exit_code == 0
    assert path.read_bytes()[:4] in (b"\x89PNG", b"<?xm")


def test_unknown_kinds_and_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as fault:
        rates("cosin", 10, 0.1, 0.0, 1.0)
    assert "cosine" in fault.value.hint
    said = CliRunner().invoke(app, ["schedule", "--plot", str(tmp_path / "out.xyz")])
    assert isinstance(said.exception, RecipeError) and ".png" in said.exception.hint
