"""The script that runs all recipes: what it takes for done, what it keeps of a report, and the tables made of that."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

DEMO = Path("docs/results/demo.json")


SCRIPTS = Path(__file__).parents[2] / "scripts"


def script(name: str) -> Any:
    """A script as a module; scripts find one another beside themselves."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(SCRIPTS))


results, generate = script("results"), script("generate")


def whole(folder: Path, name: str) -> dict[str, Any]:
    """A finished comparison in a folder, as far as the script looks at it."""
    report: dict[str, Any] = json.loads(DEMO.read_text("utf-8"))
    report["notes"] = [f"read from {folder}/{name}", "2 rows left out: /somewhere/rows.jsonl:3 = /somewhere/rows.jsonl:9"]
    (folder / name).mkdir(parents=True)
    (folder / name / "report.json").write_text(json.dumps(report), "utf-8")
    planned = [run["name"] for run in report["runs"]]
    (folder / name / "task.json").write_text(json.dumps({"planned": planned}), "utf-8")
    return report


def test_every_step_has_its_recipe_and_what_it_needs_comes_before() -> None:
    seen: set[str] = set()
    for step in results.STEPS:
        assert step.make is not None or (Path("recipes") / f"{step.name}.yaml").is_file(), step.name
        assert set(step.needs) <= seen, step.name
        seen.add(step.name)
    worked = {path.stem for path in Path("recipes").glob("*.yaml")} - {"demo", "demo-write"}
    assert {"spam", "topic", "ner", "qa", "pairs", "summary"} <= worked & seen


def test_a_comparison_is_done_when_every_planned_run_is(tmp_path: Path) -> None:
    step = next(step for step in results.STEPS if step.name == "spam")
    assert not results.done(step, tmp_path)
    report = whole(tmp_path, "spam")
    assert results.done(step, tmp_path)
    report["runs"][0]["status"] = "interrupted"
    (tmp_path / "spam" / "report.json").write_text(json.dumps(report), "utf-8")
    assert not results.done(step, tmp_path)


def test_what_is_kept_holds_no_row_and_no_place_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "stored")
    (tmp_path / "stored").mkdir()
    whole(tmp_path / "runs", "spam")
    assert results.main(["store", str(tmp_path / "runs")]) == 0
    text = (tmp_path / "stored" / "spam.json").read_text("utf-8")
    kept = json.loads(text)
    assert str(tmp_path) not in text and "/somewhere" not in text
    assert "rows" not in kept and kept["notes"] == ["read from runs/spam"]
    assert kept["command"] == "accordeur compare recipes/spam.yaml"
    assert len(text) < 40_000


def test_the_tables_are_made_of_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path / "stored")
    monkeypatch.setattr(generate, "RESULTS", tmp_path / "stored")
    (tmp_path / "stored").mkdir()
    report = whole(tmp_path / "runs", "spam")
    results.main(["store", str(tmp_path / "runs")])
    page = {"title": "poolings", "about": "Macro-F1.", "table": [["Base", "mean"], ["MiniLM", "90.0"]], "command": "x"}
    (tmp_path / "stored" / "poolings.json").write_text(json.dumps(page), "utf-8")
    text = generate.result_tables()
    assert "| [spam](#spam) | classify | 441 |" in text
    assert all(f"| {method['method']} " in text or f"**{method['method']}**" in text for method in report["methods"])
    assert "| Base | mean |\n| --- | --- |\n| MiniLM | 90.0 |" in text


def test_two_at_once_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from accordeur.store import locked

    with locked(tmp_path):
        assert results.main(["run", str(tmp_path), "--only", "nothing"]) == 5
    assert "error[environment]" in capsys.readouterr().err
