"""Two processes, started as `torchrun` and `accelerate launch` start them, make the base that one process makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.foundations.words import text

SHAPE = ("--layers", "1", "--width", "16", "--heads", "2", "--context", "16", "--vocabulary", "300")
TWO = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")


def start(folder: Path, out: str, steps: int, *launcher: str) -> subprocess.Popen[str]:
    words = ("pretrain", "0.txt", "1.txt", *SHAPE, "--steps", str(steps), "--out", out)
    own = {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, "-m", "accordeur", *words]
    return subprocess.Popen(
        command, cwd=folder, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def losses(folder: Path) -> list[float]:
    record = json.loads((folder / "pretraining.json").read_text("utf-8"))
    return [*(point["loss"] for point in record["curve"]), record["held_out_loss"]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("launch")
    for number in range(2):
        (folder / f"{number}.txt").write_text(text(120, number), "utf-8")
    return folder


def test_two_processes_make_the_base_that_one_makes(files: Path) -> None:
    alone, together = start(files, "alone", 12), start(files, "together", 12, *TWO)
    said = [process.communicate(timeout=300)[0] for process in (alone, together)]
    assert (alone.returncode, together.returncode) == (0, 0), "\n".join(said)
    assert said[1].count("12 steps,") == 1  # only the first tells
    assert "2 processes share the work" in said[1]
    plans = [json.loads((files / name / "pretraining.json").read_text("utf-8"))["made_on"] for name in ("alone", "together")]
    assert plans == ["1 processor core", "2 processor cores"]
    assert losses(files / "together") == pytest.approx(losses(files / "alone"), abs=1e-3)  # steps may be in bf16
