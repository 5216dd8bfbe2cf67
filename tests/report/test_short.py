"""Where a budget ended before a method had seen its rows once, the verdict says so, in both languages."""

from __future__ import annotations

from dataclasses import replace

from accordeur.report import build_report
from accordeur.run import RUNS_FOLDER, load_answers, load_run
from tests.report.fake import fake_out, write_run


def test_the_verdict_names_what_saw_only_some_rows(tmp_path):
    out = fake_out(tmp_path / "out", rows=60)
    name = next(path.name for path in sorted((out / RUNS_FOLDER).iterdir()) if path.name.startswith("lora"))
    folder = out / RUNS_FOLDER / name
    run, rows = load_run(folder), load_answers(folder)
    train = load_answers(folder, "train_predictions.jsonl")
    write_run(out, replace(run, facts={**run.facts, "epochs": 0.25, "stopped": "plan"}), rows, train)
    assert "lora (25\u00a0%)" in build_report(out)["verdict"]["reasons"][1]
    assert "Ce qui est dit ici vaut pour ce budget" in build_report(out, language="fr")["verdict"]["reasons"][1]
    write_run(out, replace(run, facts={**run.facts, "epochs": 0.25, "stopped": "early"}), rows, train)
    assert not any("this budget" in reason for reason in build_report(out)["verdict"]["reasons"])


def test_rows_that_one_method_alone_had_to_cut_are_told(tmp_path):
    out = fake_out(tmp_path / "out", rows=60)
    name = next(path.name for path in sorted((out / RUNS_FOLDER).iterdir()) if path.name.startswith("lora"))
    folder = out / RUNS_FOLDER / name
    run, rows = load_run(folder), load_answers(folder)
    write_run(out, replace(run, facts={**run.facts, "cut_rows": 0.004}), rows, load_answers(folder, "train_predictions.jsonl"))
    assert any("0.4\u00a0% of the rows are cut" in note for note in build_report(out)["notes"])
    assert any("0,4\u00a0% des lignes sont coupées" in note for note in build_report(out, language="fr")["notes"])
