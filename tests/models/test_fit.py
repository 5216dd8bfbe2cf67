"""What a validation costs is part of the plan, also where answers must be written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from accordeur.context import Context
from accordeur.models._surgery import Surgery
from accordeur.models.fit import WRITTEN_ROWS, Moving, Work
from accordeur.training.settings import TrainingSettings
from tests.bases import tiny
from tests.methods import cells


def work(metric: str, folder: Path, kind: str = "write") -> Work:
    task = cells.task_of(kind)
    task = replace(task, metrics=(metric,), validation=tuple(task.validation) * 40)
    context = Context(seed=0, folder=folder / "work", cache=folder / "cache", budget_seconds=2.0, device=cells.CPU)
    moving = Moving(surgery=Surgery(name="all"), settings=TrainingSettings())
    return Work(task=task, base=tiny("decoder" if kind == "write" else "encoder"), context=context, moving=moving)


@pytest.mark.parametrize(
    ("metric", "kind", "written"), [("nll", "write", False), ("chrf", "write", True), ("macro_f1", "classify", False)]
)
def test_written_answers_are_timed_and_fewer(metric: str, kind: str, written: bool, tmp_path: Path) -> None:
    asked = work(metric, tmp_path, kind)
    assert asked.written is written
    assert len(asked.validation()) == (WRITTEN_ROWS if written else 240)
    seconds = asked.answer_seconds(asked.fresh())
    assert (seconds is not None and seconds > 0) is written


def test_a_plan_leaves_room_for_validations_that_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where writing takes most of the budget, there is one validation and few steps."""
    asked = work("chrf", tmp_path)
    monkeypatch.setattr(Work, "answer_seconds", lambda self, model: 1.7 / WRITTEN_ROWS)
    plan = asked.plan(asked.items())
    assert plan.evaluate_every == plan.steps
    assert "1 validations of 1.7 s" in plan.reason
