"""What a curve over train rows says of collecting more."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from accordeur.report.folder import Recorded
from accordeur.report.scores import Scored
from accordeur.report.sizes import growth, growth_reason, has_room, rows_for
from accordeur.report.words import Words
from accordeur.run import Run
from accordeur.tasks import kind_of
from tests.report.fake import about, answered, done_run, write_run

ACCURACY = kind_of("classify").metric("accuracy")
LOG_LOSS = kind_of("classify").metric("log_loss")


def scored(right: int, rows: int = 400, rows_seen: int | None = None) -> Scored:
    """A run with so many right answers, the first ones."""
    values = np.zeros((rows, 2))
    values[:right, 0] = 1
    values[:, 1] = 1
    run = Run(name=f"m-n{rows_seen}", method="m", seed=0, status="done", trained=True, train_rows=rows_seen)
    return Scored(record=Recorded(run=run), test={"accuracy": values}, train={})


def curves(before: int, after: int):
    return {"m": {100: [scored(before, rows_seen=100)], 200: [scored(after)]}}


def test_a_climbing_curve_asks_for_the_rows_that_the_logarithm_gives():
    found = growth(curves(200, 260), 200, ["other", "m"], ACCURACY, 0.03)
    assert found is not None and found.low > 0
    assert found.gain == pytest.approx(0.15)
    exact = 200 * (2 ** (0.03 / 0.15) - 1)
    assert exact <= found.more <= exact + 1
    said = growth_reason(found, Words(language="en"), ACCURACY, 0.03)
    assert said.startswith(f"Collect about {found.more} more training rows") and "3 points" in said


@pytest.mark.parametrize(("before", "after"), [(200, 200), (200, 203), (260, 200)])
def test_a_gain_that_is_not_shown_asks_for_nothing(before, after):
    found = growth(curves(before, after), 200, ["m"], ACCURACY, 0.03)
    assert found is not None and found.more is None and found.low <= 0
    assert "not shown to help" in growth_reason(found, Words(language="en"), ACCURACY, 0.03)
    assert "Il n’est pas démontré" in growth_reason(found, Words(language="fr"), ACCURACY, 0.03)


def test_what_is_out_of_reach_is_not_promised():
    found = growth(curves(200, 260), 200, ["m"], ACCURACY, 0.60)
    assert found is not None and found.low > 0 and found.more is None
    assert "out of reach" in growth_reason(found, Words(language="en"), ACCURACY, 0.60)


def test_the_first_method_with_a_curve_is_asked():
    both = {**curves(200, 260), "n": curves(100, 120)["m"]}
    assert growth(both, 200, ["prompt", "n", "m"], ACCURACY, 0.03).method == "n"
    assert growth(both, 200, ["prompt"], ACCURACY, 0.03) is None
    assert growth({}, 200, ["m"], ACCURACY, 0.03) is None
    assert growth({"m": {100: both["m"][100]}}, 200, ["m"], ACCURACY, 0.03) is None


def test_a_loss_that_falls_is_a_gain():
    def run(loss: float) -> list[Scored]:
        values = np.stack([np.full(400, loss) + np.linspace(0, 0.1, 400), np.ones(400)], axis=1)
        return [Scored(record=Recorded(run=done_run("head", 0)), test={"log_loss": values}, train={})]

    found = growth({"head": {50: run(0.9), 100: run(0.7)}}, 100, ["head"], LOG_LOSS, 0.02)
    assert found is not None
    assert found.gain == pytest.approx(0.2) and found.low > 0 and found.more


def test_rows_are_rounded_up_to_two_digits_and_bounded():
    assert rows_for(0.1, 2.0, 1000, 0.1) == 1000
    assert rows_for(0.03, 2.0, 1234, 0.01) == math.ceil(1234 * (2 ** (1 / 3) - 1) / 10) * 10
    assert rows_for(0.01, 2.0, 1000, 0.1) is None
    assert rows_for(0.1, 2.0, 1000, 0.0) is None


def test_a_scale_with_an_end_has_no_room_beyond_it():
    assert has_room(0.97, 0.03, ACCURACY) and not has_room(0.98, 0.03, ACCURACY)
    assert has_room(0.03, 0.02, LOG_LOSS) and not has_room(0.01, 0.02, LOG_LOSS)


def test_the_report_of_a_folder_keeps_the_sizes_apart(tmp_path: Path):
    from dataclasses import replace

    from accordeur.report import build_report
    from accordeur.store import write_json

    names = ["head-s0", "head-n50-s0", "head-n200-s0"]
    write_json(tmp_path / "task.json", about(names, 160))
    for name, rows, accuracy in (("head-s0", None, 0.9), ("head-n50-s0", 50, 0.4), ("head-n200-s0", 200, 0.6)):
        run = replace(done_run("head", 0), name=name, train_rows=rows)
        write_run(tmp_path, run, answered("test", accuracy, 160, 3), answered("train", accuracy, 50, 4))
    report = build_report(tmp_path)
    assert [run["name"] for run in report["runs"]] == ["head-s0"]
    assert [entry["rows"] for entry in report["train_sizes"]] == [50, 200, 600]
    values = [entry["value"] for entry in report["train_sizes"]]
    assert values == sorted(values)
    assert report["verdict"]["collect"] and report["verdict"]["collect"] < 600
