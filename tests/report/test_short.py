"""A run whose budget ended before it had seen its rows once says so in the report, in both languages."""

from __future__ import annotations

from dataclasses import replace

from accordeur.report import build_report
from accordeur.run import RUNS_FOLDER, load_answers, load_run
from tests.report.fake import fake_out, write_run


def test_a_run_that_saw_only_some_rows_is_named(tmp_path):
    out = fake_out(tmp_path / "out", rows=60)
    name = next(path.name for path in sorted((out / RUNS_FOLDER).iterdir()) if path.name.startswith("lora"))
    folder = out / RUNS_FOLDER / name
    run, rows = load_run(folder), load_answers(folder)
    train = load_answers(folder, "train_predictions.jsonl")
    write_run(out, replace(run, facts={**run.facts, "epochs": 0.25, "stopped": "plan"}), rows, train)
    assert any(f"{name} saw 25 %" in note for note in build_report(out)["notes"])
    assert any(f"{name} n’a vu que 25 %" in note for note in build_report(out, language="fr")["notes"])
    write_run(out, replace(run, facts={**run.facts, "epochs": 0.25, "stopped": "early"}), rows, train)
    assert not any("saw 25 %" in note for note in build_report(out)["notes"])
