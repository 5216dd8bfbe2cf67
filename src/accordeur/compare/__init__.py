"""The one runner: every method and seed on the same rows, then the report."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from accordeur.compare.execute import WORK_FOLDER, Tell, execute, finished
from accordeur.compare.planned import Planned
from accordeur.compare.prepare import Prepared, prepare
from accordeur.compare.sizes import sized
from accordeur.context import silent
from accordeur.errors import Diverged, Interrupted
from accordeur.recipe import Recipe, dump_recipe
from accordeur.report import write_report
from accordeur.run import TASK_FILE, Run
from accordeur.store import locked, write_json, write_text

__all__ = ["Prepared", "compare", "prepare", "run_all"]


def compare(recipe: Recipe, tell: Tell = silent, stop: Callable[[], bool] = bool, command: str = "") -> dict[str, Any]:
    """Runs a recipe to its report. Finished runs of an earlier command are reused; unfinished ones go on.

    Raises RecipeError, DataError, ModelError before anything is written; EnvironmentFault; Interrupted, with everything
    finished so far reported; Diverged where every run diverged.
    """
    return run_all(prepare(recipe), tell, stop, command)


def run_all(prepared: Prepared, tell: Tell = silent, stop: Callable[[], bool] = bool, command: str = "") -> dict[str, Any]:
    """Makes the runs that are missing, one after the other, and writes the report."""
    with locked(prepared.out):
        write_about(prepared, command)
        runs: list[Run] = []
        for planned in prepared.planned:
            mine = at_size(prepared, planned)
            run = finished(mine, planned)
            tell(run=planned.name, status="reused" if run else "started")
            try:
                run = run or execute(mine, planned, tell, stop)
                if stop():
                    raise Interrupted("stopped on request", hint="the same command goes on from here")
            except Interrupted:
                write_report(prepared.out)
                raise
            tell(run=planned.name, status=run.status, reason=run.reason, record=run)
            runs.append(run)
        remove_if_empty(prepared.out / WORK_FOLDER)
        report = write_report(prepared.out)
    if runs and all(run.error_kind == Diverged.kind for run in runs):
        raise Diverged("every run diverged", hint="try lower rates, or look at the rows the messages name")
    return report


def at_size(prepared: Prepared, planned: Planned) -> Prepared:
    """What a run works on: the same with as many train rows as it may see; validation and test rows stay."""
    return prepared if planned.train_rows is None else replace(prepared, task=sized(prepared.task, planned.train_rows))


def remove_if_empty(folder: Path) -> None:
    """Removes the place of unfinished work where there is none."""
    if folder.is_dir() and not any(folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)


def write_about(prepared: Prepared, command: str) -> None:
    """What was asked and on what, for the report; and the recipe that asks it again."""
    task, base, recipe = prepared.task, prepared.base, prepared.recipe
    rows = {name: len(part) for name, part in prepared.loaded.splits.parts().items()}
    about = {
        "schema": 1,
        "task": {
            "name": task.name,
            "kind": task.kind,
            "primary_metric": task.primary,
            "metric_chosen": recipe.metric is not None,
            "metrics": list(task.metrics),
            "labels": list(task.labels),
            "rows": rows,
            "fingerprint": task.fingerprint,
        },
        "base": {"name": base.name, "family": base.family, "parameters": base.parameters, "fingerprint": base.fingerprint},
        "recipe": recipe.plain(),
        "summary": prepared.loaded.summary.as_dict(),
        "audit": prepared.audit.as_dict(),
        "lengths": prepared.lengths,
        "slices": prepared.slices,
        "also": {name: len(rows) for name, rows in prepared.also.items()},
        "notes": list(prepared.notes),
        "command": command,
        "planned": [planned.name for planned in prepared.planned],
    }
    write_json(prepared.out / TASK_FILE, about)
    write_text(prepared.out / "recipe.yaml", dump_recipe(recipe))
