"""`freeze`: how many blocks by the budget, what then moves, and what never does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from accordeur.method import build_method
from accordeur.models.fit import Work
from accordeur.plan import TrainingPlan
from accordeur.training.trainable import moved_tensors
from tests.bases import write_base
from tests.methods import cells


@pytest.mark.parametrize(("cost", "layers"), [(0.001, 4), (0.5, 2), (1.0, 1), (100.0, 1)])
def test_so_many_blocks_as_leave_time_for_three_epochs(
    cost: float, layers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step costs `cost` seconds a moving block here, and the budget is 8 seconds: 3 epochs of 20 rows are 6 steps."""

    def plan(self: Work, items: Any) -> TrainingPlan:
        blocks = self.moving.surgery.settings["layers"]
        steps = max(1, int(8.0 / (cost * blocks)))
        return TrainingPlan(steps=steps, batch_rows=16, evaluate_every=1, seconds_per_step=cost * blocks, budget_seconds=8.0)

    monkeypatch.setattr(Work, "plan", plan)
    base = write_base(tmp_path / "base", "encoder", layers=8)
    context = replace(cells.context(tmp_path / "fit"), folder=tmp_path / "fresh")
    found = build_method("freeze").affordable(cells.task_of("classify"), base, context)  # type: ignore[attr-defined]
    assert found == layers


@pytest.mark.parametrize("gradual", [0.0, 0.5])
def test_only_the_topmost_blocks_and_the_head_differ_from_the_base(gradual: float, tmp_path: Path) -> None:
    base = write_base(tmp_path / "base", "encoder", layers=4)
    (tmp_path / "fit").mkdir()
    method = build_method("freeze", {"layers": 2, "gradual": gradual, "rate": 1e-3})
    model: Any = method.fit(cells.task_of("classify"), base, cells.context(tmp_path / "fit"))
    assert {name.split(".")[3] for name in moved_tensors(model.network) if name.startswith("trunk.")} == {"2", "3"}
    fresh = base.load(language_head=False)[0].state_dict()
    own = {name: value for name, value in model.network.trunk.state_dict().items() if "pooler" not in name}
    changed = {name.split(".")[2] for name, value in own.items() if not torch.equal(value, fresh[name])}
    assert changed == {"2", "3"} if gradual == 0.0 else changed <= {"2", "3"}
