"""The report as data: the contract, what is left out and why, other metrics, seeds, damaged and foreign runs."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accordeur.errors import ModelError, RecipeError
from accordeur.report import build_report, write_report
from accordeur.run import Answered, Run, load_answers
from accordeur.store import read_json, write_json
from accordeur.tasks import kind_of
from tests.report.fake import LABELS, about, answered, done_run, write_run

CONTRACT: dict[str, Any] = {
    "schema": int,
    "task": {"name": str, "kind": str, "primary_metric": str, "rows": {"train": int, "validation": int, "test": int}},
    "base": {"name": str, "family": str, "parameters": int},
    "runs": [
        {
            "name": str,
            "method": str,
            "seed": int,
            "status": str,
            "reason": (str, type(None)),
            "settings": dict,
            "scores": {"macro_f1": {"value": float, "low": float, "high": float}},
            "overfitting": {"train": float, "test": float, "gap": float},
            "forgetting": {"metric": str, "before": float, "after": float},
            "cost": {
                "fit_seconds": float,
                "fit_cpu_seconds": float,
                "peak_memory_bytes": int,
                "trainable_parameters": int,
                "tokens_trained": int,
                "artifact_bytes": int,
                "predict_ms_per_row": float,
            },
        }
    ],
    "verdict": {
        "decision": str,
        "method": (str, type(None)),
        "leans_to": str,
        "reasons": [str],
        "rows_needed": (int, type(None)),
        "comparisons": [{"method": str, "against": str, "difference": float, "low": float, "high": float, "p_adjusted": float}],
    },
}


def faults(expected: Any, found: Any, where: str = "report") -> list[str]:
    """Where a value does not have the shape of the contract."""
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return [f"{where}: {type(found).__name__}"]
        return [fault for key, part in expected.items() for fault in faults(part, found.get(key), f"{where}.{key}")]
    if isinstance(expected, list):
        return (
            [fault for place, part in enumerate(found) for fault in faults(expected[0], part, f"{where}[{place}]")]
            if found
            else [where]
        )
    return [] if isinstance(found, expected) else [f"{where}: {type(found).__name__}"]


def small(out: Path, runs: dict[str, list[Answered]], **changes: Any) -> Path:
    """A folder with a few runs of `head`-like methods."""
    write_json(out / "task.json", {**about(list(runs), 40), **changes})
    for name, answers in runs.items():
        method, _, seed = name.rpartition("-s")
        run = dataclasses.replace(done_run("head", 0), name=name, method=method, seed=int(seed))
        write_run(out, run, answers, answered("train", 0.97, 40, 3))
    return out


def test_every_field_of_the_contract_is_there(report: dict[str, Any]) -> None:
    done = [run for run in report["runs"] if run["name"] == "lora-s0"]
    assert faults(CONTRACT, {**report, "runs": done}) == []
    assert report["schema"] == 1


def test_runs_come_in_the_order_of_the_plan_with_their_statuses(out: Path, report: dict[str, Any]) -> None:
    assert [run["name"] for run in report["runs"]] == read_json(out / "task.json")["planned"]
    statuses = {run["name"]: run["status"] for run in report["runs"]}
    assert [statuses[name] for name in ("head-s0", "fewshot-s0", "freeze-s0", "adapter-s0")] == [
        "done",
        "skipped",
        "failed",
        "interrupted",
    ]
    assert next(run["reason"] for run in report["runs"] if run["name"] == "fewshot-s0") == "an encoder sees no examples"


def test_a_report_made_again_is_the_same(out: Path, report: dict[str, Any]) -> None:
    assert build_report(out) == report


def test_scores_are_those_of_the_metric_on_the_stored_answers(out: Path, report: dict[str, Any]) -> None:
    answers = load_answers(out / "runs" / "lora-s1")
    run = next(run for run in report["runs"] if run["name"] == "lora-s1")
    for metric in kind_of("classify").metrics[:4]:
        expected = float(metric.finish(metric.statistics(answers, LABELS).sum(axis=0)))
        score = run["scores"][metric.name]
        assert score["value"] == pytest.approx(expected)
        assert score["low"] < expected < score["high"]


def test_a_method_with_seeds_has_their_mean_and_a_gap_with_its_interval(report: dict[str, Any]) -> None:
    method = next(method for method in report["methods"] if method["method"] == "lora")
    values = [run["scores"]["macro_f1"]["value"] for run in report["runs"] if run["method"] == "lora"]
    assert method["seeds"] == [0, 1, 2]
    assert method["scores"]["macro_f1"]["value"] == pytest.approx(np.mean(values))
    assert method["seed_spread"]["values"] == pytest.approx(values)
    assert method["seed_spread"]["estimated"] is False
    gap = method["overfitting"]
    assert gap["gap"] == pytest.approx(gap["train"] - gap["test"])
    assert gap["low"] < gap["gap"] < gap["high"]
    assert method["forgetting"]["change"] == pytest.approx(0.015)
    assert any("at least 5 seeds" in note for note in report["notes"])


def test_five_seeds_have_a_t_interval(tmp_path: Path) -> None:
    runs = {f"head-s{seed}": answered("test", 0.8, 60, seed) for seed in range(5)}
    found = build_report(small(tmp_path / "out", runs))
    spread = found["methods"][0]["seed_spread"]
    assert spread["estimated"] and spread["low"] < spread["value"] < spread["high"]
    assert not any("5 seeds" in note for note in found["notes"])


def test_verdict_names_the_cheapest_that_is_shown_to_be_good_enough(tmp_path: Path) -> None:
    found = build_report(
        small(tmp_path / "out", {"good-s0": answered("test", 0.95, 300, 1), "bad-s0": answered("test", 0.4, 300, 2)})
    )
    verdict = found["verdict"]
    assert (verdict["decision"], verdict["method"], verdict["leans_to"]) == ("use", "good", "good")
    assert verdict["comparisons"][0]["high"] < -0.03


def test_no_finished_run_gives_no_verdict(tmp_path: Path) -> None:
    write_json(tmp_path / "task.json", about(["lora-s0"], 10))
    write_run(tmp_path, Run(name="lora-s0", method="lora", seed=0, status="failed", reason="no memory"))
    found = build_report(tmp_path)
    assert found["verdict"]["decision"] == "cannot-tell"
    assert found["verdict"]["method"] is None and found["verdict"]["leans_to"] is None
    assert found["verdict"]["reasons"] == ["No method finished with a score, so there is nothing to compare."]


def test_another_metric_and_tolerance_score_the_answers_again(out: Path, report: dict[str, Any]) -> None:
    again = build_report(out, metric="log_loss", tolerance=0.5)
    assert again["task"]["primary_metric"] == "log_loss"
    assert again["tolerance"] == 0.5
    assert next(iter(again["metrics"])) == "log_loss"
    best = min(again["methods"], key=lambda method: method["scores"]["log_loss"]["value"] if method["scores"] else 99)
    assert {one["against"] for one in again["verdict"]["comparisons"]} >= {best["method"]}
    assert build_report(out, tolerance=5)["tolerance"] == pytest.approx(0.05)
    assert report["tolerance"] == pytest.approx(0.03)


def test_an_unknown_metric_or_language_names_the_known_ones(out: Path) -> None:
    with pytest.raises(RecipeError, match="no metric 'f1'") as fault:
        build_report(out, metric="f1")
    assert "macro_f1" in fault.value.hint
    with pytest.raises(RecipeError, match="language 'de'"):
        build_report(out, language="de")


def test_runs_on_different_rows_are_refused_by_name(tmp_path: Path) -> None:
    one = answered("test", 0.9, 40, 1)
    moved = [one[1], one[0], *one[2:]]
    with pytest.raises(
        ModelError, match=r"a-s0 and b-s0 answered different test rows: row 0 is 'test-0000' in one and 'test-0001'"
    ):
        build_report(small(tmp_path / "moved", {"a-s0": one, "b-s0": moved}))
    with pytest.raises(ModelError, match="answered 40 and 39 test rows"):
        build_report(small(tmp_path / "short", {"a-s0": one, "b-s0": one[:-1]}))


def test_a_damaged_run_is_left_out_with_a_note(tmp_path: Path) -> None:
    runs = {name: answered("test", 0.9, 40, seed) for seed, name in enumerate(("a-s0", "b-s0"))}
    folder = small(tmp_path / "out", runs)
    with (folder / "runs" / "b-s0" / "predictions.jsonl").open("a", encoding="utf-8") as stream:
        stream.write("\n")
    found = build_report(folder)
    assert [run["name"] for run in found["runs"]] == ["a-s0"]
    assert any("b-s0" in note and "left out" in note for note in found["notes"])


def test_foreign_and_missing_runs_are_named(tmp_path: Path) -> None:
    folder = small(
        tmp_path / "out", {"a-s0": answered("test", 0.9, 40, 0), "b-s0": answered("test", 0.9, 40, 1)}, planned=["a-s0", "c-s0"]
    )
    found = build_report(folder)
    assert [run["name"] for run in found["runs"]] == ["a-s0"]
    assert any("not part of this comparison: b-s0" in note for note in found["notes"])
    assert any("not run yet: c-s0" in note for note in found["notes"])


def test_a_method_without_probabilities_lacks_only_what_needs_them(tmp_path: Path) -> None:
    bare = [dataclasses.replace(row, scores=None, nll=None) for row in answered("test", 0.9, 40, 0)]
    found = build_report(small(tmp_path / "out", {"bare-s0": bare, "full-s0": answered("test", 0.8, 40, 1)}))
    scores = {method["method"]: set(method["scores"]) for method in found["methods"]}
    assert scores["bare"] == {"macro_f1", "accuracy"}
    assert scores["full"] == {"macro_f1", "accuracy", "log_loss", "calibration_error"}
    again = build_report(tmp_path / "out", metric="log_loss")
    assert again["verdict"]["leans_to"] == "full"
    assert any("bare gives no log-loss" in note for note in again["notes"])


def written(count: int, seed: int, *, likelihood: bool = True, metric: str = "nll") -> list[Answered]:
    """Answers in words."""
    random = np.random.default_rng(seed)
    words = ["wind", "reed", "bellows", "key", "felt", "string"]
    rows = []
    for place in range(count):
        expected = " ".join(random.choice(words, 4))
        output = " ".join([*expected.split()[:2], *random.choice(words, 2)])
        nll = float(random.gamma(4, 1)) if likelihood else None
        rows.append(Answered(id=str(place), expected=expected, output=output, nll=nll, units=5, given=f"Say {place}"))
    return rows


def same_rows(rows: list[Answered], seed: int, *, likelihood: bool) -> list[Answered]:
    """The same questions answered by another model."""
    return [
        dataclasses.replace(row, output=other.output, nll=other.nll)
        for row, other in zip(rows, written(len(rows), seed, likelihood=likelihood), strict=True)
    ]


@pytest.mark.parametrize(("likelihood", "primary"), [(True, "nll"), (False, "rouge_l")])
def test_likelihood_decides_only_where_every_method_has_one(tmp_path: Path, likelihood: bool, primary: str) -> None:
    rows = written(30, 0)
    task = {
        **about([], 30)["task"],
        "kind": "write",
        "primary_metric": "nll",
        "labels": [],
        "metrics": ["nll", "rouge_l", "chrf"],
    }
    folder = small(tmp_path / "out", {"a-s0": rows, "b-s0": same_rows(rows, 1, likelihood=likelihood)}, task=task)
    found = build_report(folder)
    assert found["task"]["primary_metric"] == primary
    assert any("ROUGE-L" in note for note in found["notes"]) is not likelihood
    assert set(found["methods"][0]["scores"]) == {"nll", "rouge_l", "chrf"}
    assert build_report(folder, metric="nll")["task"]["primary_metric"] == "nll"


def test_money_follows_the_price(report: dict[str, Any]) -> None:
    run = next(run for run in report["runs"] if run["name"] == "full-s0")
    assert run["money"]["fit"] == pytest.approx(288 / 3600 * 0.9)
    assert run["money"]["per_1000_answers"] == pytest.approx(8.8 / 3600 * 0.9)


def test_confusion_counts_every_row(report: dict[str, Any]) -> None:
    method = next(method for method in report["methods"] if method["method"] == "full")
    assert np.sum(method["confusion"]["matrix"]) == 3 * 160
    assert method["confusion"]["pairs"][0]["count"] == max(pair["count"] for pair in method["confusion"]["pairs"])


def test_telling_rows_show_every_method_side_by_side(report: dict[str, Any]) -> None:
    hardest = report["rows"]["hardest"][0]
    assert set(hardest["answers"]) == {"tfidf", "prompt", "head", "lora", "full"}
    assert hardest["given"] and hardest["expected"] in LABELS
    assert all(len({answer["right"] for answer in row["answers"].values()}) == 2 for row in report["rows"]["split"])


def test_what_is_no_comparison_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no task\.json"):
        build_report(tmp_path)
    write_json(tmp_path / "task.json", {"schema": 2})
    with pytest.raises(ModelError, match="schema 2"):
        build_report(tmp_path)


def test_files_are_written_and_hold_no_nan(out: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(out, folder)
    (folder / "runs" / "head-s0" / "model").mkdir()
    report = write_report(folder, language="fr")
    stored = (folder / "report.json").read_text("utf-8")
    assert json.loads(stored, parse_constant=lambda name: pytest.fail(name)) == report
    assert "Reproduire" in (folder / "report.html").read_text("utf-8")
    assert (folder / "runs" / "head-s0" / "README.md").read_text("utf-8").startswith("---\nlibrary_name: accordeur")
    assert write_report(folder, language="fr") == report  # the card does not break the seal


def test_a_report_needs_neither_torch_nor_transformers(out: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from accordeur.report import build_report, render_html\n"
        "from accordeur.report.table import rich_table\n"
        f"report = build_report(Path({str(out)!r})); render_html(report); rich_table(report)\n"
        "print([name for name in ('torch', 'transformers', 'peft', 'accelerate') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
