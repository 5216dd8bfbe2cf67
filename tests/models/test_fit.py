"""What a validation costs is part of the plan, also where answers must be written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from accordeur.context import Context
from accordeur.errors import NotApplicable
from accordeur.models._surgery import Surgery
from accordeur.models.contrasted import contrastive
from accordeur.models.fit import WRITTEN_ROWS, Moving, Work, leave_room
from accordeur.plan import TrainingPlan
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


def test_a_fitted_head_is_part_of_what_a_validation_takes(tmp_path: Path) -> None:
    objective = contrastive(cells.task_of("classify"), 2, 10.0, 0)
    plain = work("macro_f1", tmp_path, "classify")
    asked = replace(plain, moving=replace(plain.moving, objective=objective))
    assert asked.answer_seconds(asked.fresh()) > 0  # type: ignore[operator]


@pytest.mark.parametrize("name", ["soft-prompt", "prefix"])
def test_virtual_tokens_take_positions_and_the_text_gets_the_others(name: str, tmp_path: Path) -> None:
    base = tiny("decoder")
    task = replace(cells.task_of("write"), max_length=base.positions)
    shorter, share = leave_room(task, base, 20)
    assert (shorter.max_length, share) == (108, 0.0)
    long = replace(task.test[0], given={"instruction": "the lazy fox jumps " * 60, "input": ""})
    rows = replace(task, train=(*task.train, long))  # one of 33: few enough to be cut
    model = cells.built(name, tmp_path, rate=1e-3).fit(rows, base, cells.context(tmp_path))
    assert model.facts()["cut_rows"] == pytest.approx(1 / 33)
    assert isinstance(model.predict([long])[0].output, str)
    with pytest.raises(NotApplicable, match="choose fewer tokens"):
        leave_room(replace(task, test=(long,) * 4), base, 20)


def test_where_all_rates_score_alike_the_middle_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = work("macro_f1", tmp_path, "classify")
    asked = replace(asked, moving=replace(asked.moving, rates=(1e-9, 1e-4, 1e-3)))
    plan = TrainingPlan(steps=250, batch_rows=4, evaluate_every=250, seconds_per_step=0.01, budget_seconds=2.5)
    monkeypatch.setattr(Work, "judged", lambda self, model, rows: 0.0)
    assert asked.choose_rate(asked.items(), plan) == 1e-4
