"""`accordeur merge`: a trained run as a plain transformers folder, checked on its own test rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def merge(
    run: Annotated[Path, typer.Argument(help="Folder of a run: runs/NAME/runs/lora-s0.")],
    out: Annotated[Path, typer.Option(help="Folder to write; must not exist yet, or be empty.")],
) -> None:
    """Write a run as a plain transformers folder, after 32 test rows were answered the same before and after."""
    from accordeur.models.merge import merge as write

    merged = write(run, out, replayed_rows(run))
    typer.echo(
        f"{merged.folder}: {merged.rows} test rows answered the same before and after; "
        f"largest logit difference {merged.largest_difference:.2g}"
    )


def replayed_rows(run: Path) -> list[Any]:
    """The test rows of the comparison that a run belongs to, read again by its recipe."""
    from accordeur.compare.prepare import prepare
    from accordeur.errors import RecipeError
    from accordeur.recipe import load_recipe

    recipe = run.absolute().parent.parent / "recipe.yaml"
    if not recipe.is_file():
        raise RecipeError(f"{run} is not a run of a comparison: no {recipe}", hint="give the folder runs/NAME/runs/METHOD-sSEED")
    return list(prepare(load_recipe(recipe)).task.test)
