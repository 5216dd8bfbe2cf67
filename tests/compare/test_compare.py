from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accordeur.adapted import reopen
from accordeur.compare import compare, prepare
from accordeur.errors import DataError, EnvironmentFault, Interrupted, ModelError, RecipeError
from accordeur.run import load_answers, load_run
from accordeur.store import is_sealed, locked
from tests.compare.shop import labelled_rows, recipe_for, write_rows

AMPLE = 30.0  # minutes: the epochs, not the clock, then decide the number of steps, on any machine
FIXED = {"tfidf": {}, "head": {}, "lora": {"epochs": 0.5, "rate": 1e-3}}


def answers(out: Path, name: str) -> list[dict]:
    return [row.plain() for row in load_answers(out / "runs" / name)]


def contract(report: dict) -> None:
    """Every field of report.json that others rely on."""
    assert report["schema"] == 1
    assert {"name", "kind", "primary_metric", "rows"} <= set(report["task"])
    assert {"train", "validation", "test"} == set(report["task"]["rows"])
    assert {"name", "family", "parameters"} <= set(report["base"])
    for run in report["runs"]:
        assert {"name", "method", "seed", "status", "reason", "settings", "scores", "overfitting", "forgetting", "cost"} <= set(
            run
        )
        if run["status"] == "done":
            assert all({"value", "low", "high"} <= set(score) for score in run["scores"].values())
            assert {"train", "test", "gap"} <= set(run["overfitting"])
            assert {"metric", "before", "after"} <= set(run["forgetting"])
            assert {
                "fit_seconds", "fit_cpu_seconds", "peak_memory_bytes", "trainable_parameters", "tokens_trained", "artifact_bytes",
                "predict_ms_per_row",
            } <= set(run["cost"])  # fmt: skip
    verdict = report["verdict"]
    assert {"decision", "method", "leans_to", "reasons", "rows_needed", "comparisons"} <= set(verdict)
    assert verdict["decision"] in ("use", "do-not-fine-tune", "cannot-tell")
    assert all({"method", "against", "difference", "low", "high", "p_adjusted"} <= set(pair) for pair in verdict["comparisons"])


def test_every_method_is_done_or_skipped_for_a_reason(tmp_path):
    methods = {"majority": {}, "prompt": {}, "fewshot": {}, **FIXED, "full": {"epochs": 0.5, "rate": 1e-4}}
    report = compare(recipe_for(tmp_path, methods=methods))
    contract(report)
    status = {run["method"]: run["status"] for run in report["runs"]}
    assert status == {**dict.fromkeys(methods, "done"), "fewshot": "skipped"}
    assert "encoder" in next(run["reason"] for run in report["runs"] if run["method"] == "fewshot")
    scores = {run["method"]: run["scores"]["macro_f1"]["value"] for run in report["runs"] if run["status"] == "done"}
    assert scores["tfidf"] > 0.9 > scores["majority"]
    assert json.loads((tmp_path / "out" / "report.json").read_text())["verdict"] == report["verdict"]
    untouched = [run for run in report["runs"] if run["method"] in ("majority", "tfidf", "prompt", "head")]
    assert all(run["forgetting"]["before"] == run["forgetting"]["after"] for run in untouched)
    assert not (tmp_path / "out" / "work").exists()


def test_a_decoder_writes(tmp_path):
    methods = {
        "majority": {},
        "prompt": {},
        "fewshot": {"counts": [2]},
        "lora": {"epochs": 0.5, "rate": 1e-3},
        "tfidf": {},
        "head": {},
    }
    report = compare(recipe_for(tmp_path, "decoder", "write", methods=methods))
    contract(report)
    status = {run["method"]: run["status"] for run in report["runs"]}
    assert status == {
        "majority": "done",
        "prompt": "done",
        "fewshot": "done",
        "lora": "done",
        "tfidf": "skipped",
        "head": "skipped",
    }
    assert report["task"]["primary_metric"] == "nll"
    for run in report["runs"]:
        if run["status"] == "done":
            assert {"nll", "rouge_l", "token_f1", "chrf", "exact_match"} <= set(run["scores"])


def test_the_second_command_reuses_every_run(tmp_path):
    recipe = recipe_for(tmp_path, methods=FIXED)
    first = compare(recipe)
    before = times(tmp_path / "out" / "runs")
    news: list[str] = []
    second = compare(recipe, tell=lambda run, status=None, **_: news.append(f"{run} {status}"))
    assert {"lora-s0 reused", "head-s0 reused", "tfidf-s0 reused"} <= set(news)
    assert times(tmp_path / "out" / "runs") == before
    assert second["runs"] == first["runs"]


def times(folder: Path) -> dict[Path, int]:
    """When each file was written; the model cards belong to the report, which is made anew."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.name != "README.md"}


@pytest.mark.parametrize("change", ["data", "settings", "damage"])
def test_what_has_changed_is_run_again(tmp_path, change):
    compare(recipe_for(tmp_path, methods={"tfidf": {}}))
    methods = {"tfidf": {"c": 3.0} if change == "settings" else {}}
    recipe = recipe_for(tmp_path, methods=methods)
    if change == "data":
        write_rows(Path(recipe.data), labelled_rows(93))
    if change == "damage":
        path = tmp_path / "out" / "runs" / "tfidf-s0" / "predictions.jsonl"
        path.write_bytes(path.read_bytes()[:-3])
    news: list[str] = []
    compare(recipe, tell=lambda run, status=None, **_: news.append(f"{run} {status}"))
    assert "tfidf-s0 started" in news
    assert is_sealed(tmp_path / "out" / "runs" / "tfidf-s0")


def test_a_saved_model_reopens_to_the_same_answers(tmp_path):
    recipe = recipe_for(tmp_path, methods={**FIXED, "prompt": {}, "majority": {}})
    compare(recipe)
    task = prepare(recipe).task
    for name in ("majority-s0", "tfidf-s0", "head-s0", "prompt-s0", "lora-s0"):
        model = reopen(tmp_path / "out" / "runs" / name / "model")
        again = [prediction.output for prediction in model.predict(task.test)]
        assert again == [row["output"] for row in answers(tmp_path / "out", name)], name


def test_stopping_keeps_what_is_done_and_goes_on_to_the_same_end(tmp_path):
    """The plan is stored, so that the stopped and continued run takes the steps of the uninterrupted one."""
    methods = {"tfidf": {}, "lora": {"epochs": 2, "rate": 1e-3, "batch_rows": 4}}
    straight = tmp_path / "straight"
    straight.mkdir()
    compare(recipe_for(straight, methods=methods, budget=AMPLE))
    plan = load_run(straight / "out" / "runs" / "lora-s0").plan
    assert plan["training"]["steps"] > 3
    recipe = recipe_for(tmp_path, methods=methods, budget=AMPLE)
    steps: list[int] = []

    def listen(run: str, step: int | None = None, loss: float | None = None, **_: object) -> None:
        if run == "lora-s0" and step and loss is not None:
            steps.append(step)

    with pytest.raises(Interrupted):
        compare(recipe, tell=listen, stop=lambda: len(steps) >= 3)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {run["name"]: run["status"] for run in report["runs"]} == {"tfidf-s0": "done", "lora-s0": "interrupted"}
    steps.clear()
    compare(recipe, tell=listen)
    assert steps[0] == 4
    assert load_run(tmp_path / "out" / "runs" / "lora-s0").plan["training"]["steps"] == plan["training"]["steps"]
    assert answers(tmp_path / "out", "lora-s0") == answers(straight / "out", "lora-s0")


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from accordeur.compare import compare
from accordeur.recipe import parse_recipe
compare(parse_recipe({values!r}))
"""


def test_killed_anywhere_the_same_command_goes_on(tmp_path):
    """kill -9 in the middle of a run: the next command ends in the report of one that was never killed."""
    methods = {"tfidf": {}, "head": {}, "lora": {"epochs": 3, "rate": 1e-3, "batch_rows": 4}}
    recipe = recipe_for(tmp_path, methods=methods, budget=AMPLE)
    compare(recipe)
    expected = {name: answers(tmp_path / "out", name) for name in ("tfidf-s0", "head-s0", "lora-s0")}
    for delay in (0.3, 1.5):
        shutil.rmtree(tmp_path / "out" / "runs" / "lora-s0", ignore_errors=True)
        shutil.rmtree(tmp_path / "out" / "runs" / "head-s0", ignore_errors=True)
        script = SCRIPT.format(root=os.getcwd(), values=recipe.plain())
        process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
        wait_for(tmp_path / "out" / "work", process)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        compare(recipe)
        for name, rows in expected.items():
            assert answers(tmp_path / "out", name) == rows, name
        assert not list((tmp_path / "out").rglob(".staging-*"))


def wait_for(path: Path, process: subprocess.Popen) -> None:
    for _ in range(600):
        if path.exists() or process.poll() is not None:
            return
        time.sleep(0.1)


def test_two_at_once_are_refused(tmp_path):
    recipe = recipe_for(tmp_path, methods={"tfidf": {}})
    with locked(tmp_path / "out"), pytest.raises(EnvironmentFault, match="in use by process"):
        compare(recipe)


@pytest.mark.parametrize(
    ("values", "fault", "words"),
    [
        ({"methods": {"lorra": {}}}, RecipeError, "unknown method 'lorra'"),
        ({"methods": {"lora": {"rnk": 4}}}, RecipeError, "no setting 'rnk'"),
        ({"methods": {"lora": {"rank": 0}}}, RecipeError, "rank"),
        ({"metric": "macro_f2"}, RecipeError, "macro_f2"),
        ({"kind": "write"}, RecipeError, "kind 'write' was asked for"),
        ({"definitions": {"cow": "moo"}}, RecipeError, "cow"),
        ({"base": "./not/here/at-all"}, ModelError, "no base"),
        ({"prompts": ["absent.txt"]}, RecipeError, "absent.txt"),
    ],
)
def test_faults_found_before_training_leave_no_folder(tmp_path, values, fault, words):
    with pytest.raises(fault, match=words):
        compare(recipe_for(tmp_path, **{"methods": {"tfidf": {}}, **values}))
    assert not (tmp_path / "out").exists()


def test_rows_that_would_be_cut_are_refused_with_the_limit_that_keeps_them(tmp_path):
    with pytest.raises(DataError, match=r"(cut at|longer than) 16 tokens") as caught:
        compare(recipe_for(tmp_path, "decoder", "write", methods={"prompt": {}}, max_length=16))
    assert "--max-length" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_a_method_that_breaks_does_not_stop_the_others(tmp_path, monkeypatch):
    from accordeur.methods.head import Head

    def broken(self, task, base, context):
        raise RuntimeError("planted")

    monkeypatch.setattr(Head, "fit", broken)
    report = compare(recipe_for(tmp_path, methods=FIXED))
    status = {run["method"]: run["status"] for run in report["runs"]}
    assert status == {"tfidf": "done", "head": "failed", "lora": "done"}
    assert "planted" in next(run["reason"] for run in report["runs"] if run["method"] == "head")


@pytest.mark.parametrize(
    "fault", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("I/O error: No space left on device (os error 28)")]
)
def test_a_disk_that_fills_up_ends_the_comparison_and_the_same_command_goes_on(tmp_path, monkeypatch, fault):
    from accordeur.models.headed import Headed

    def full(self, folder):
        raise fault

    recipe = recipe_for(tmp_path, methods=FIXED)
    with monkeypatch.context() as planted:
        planted.setattr(Headed, "save", full)
        with pytest.raises(EnvironmentFault, match="no space left") as caught:
            compare(recipe)
    assert caught.value.exit_code == 5
    assert sorted(path.name for path in (tmp_path / "out" / "runs").iterdir()) == ["tfidf-s0"]
    status = {run["method"]: run["status"] for run in compare(recipe)["runs"]}
    assert status == {"tfidf": "done", "head": "done", "lora": "done"}


def test_seeds_are_runs_of_their_own_where_a_seed_matters(tmp_path):
    planned = prepare(recipe_for(tmp_path, methods=FIXED, seeds=3)).planned
    assert [run.name for run in planned] == ["tfidf-s0", "head-s0", "lora-s0", "lora-s1", "lora-s2"]


def test_rows_limits_the_data_and_says_so(tmp_path):
    prepared = prepare(recipe_for(tmp_path, methods={"tfidf": {}}, rows=45))
    assert 40 <= sum(len(part) for part in (prepared.task.train, prepared.task.validation, prepared.task.test)) <= 50
    assert any("45 of 90" in note for note in prepared.notes)
