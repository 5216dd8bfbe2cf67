"""Ctrl-C and SIGTERM: once, the step ends and the state is saved (75); twice, out at once (130)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.compare.shop import recipe_for

RECIPE = {"methods": {"tfidf": {}, "lora": {"rate": 1e-3, "batch_rows": 4}}, "budget": 3.0}


def start(tmp_path: Path) -> subprocess.Popen:
    """A comparison in a process of its own, returned when its first training step is saved or noted."""
    recipe = recipe_for(tmp_path, **RECIPE)
    path = tmp_path / "recipe.yaml"
    path.write_text(json.dumps(recipe.plain()))
    command = [sys.executable, "-m", "accordeur", "compare", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    plan = tmp_path / "out" / "work" / "lora-s0" / "plan.json"
    for _ in range(1200):
        if plan.exists() and "training" in plan.read_text():
            return process
        if process.poll() is not None:
            break
        time.sleep(0.1)
    process.kill()
    pytest.fail(f"training did not start: {process.communicate()}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_the_step_and_saves(tmp_path, number):
    process = start(tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 75, out + err
    assert "error[interrupted]" in err
    assert "Traceback" not in out + err
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    status = {run["method"]: run["status"] for run in report["runs"]}
    assert status == {"tfidf": "done", "lora": "interrupted"}


def test_two_signals_end_at_once(tmp_path):
    process = start(tmp_path)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode in (75, 130), out + err  # both signals may be taken as one where they arrive together
    if process.returncode == 130:
        assert "stopped hard" in err
    assert (tmp_path / "out" / "runs" / "tfidf-s0" / "run.json").exists()
