from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from accordeur.training import libraries

FETCHER = """
def get_kernel(*name, **options):
    raise SystemExit(f"fetched {name}")
"""
SCRIPT = """
from accordeur.training.libraries import before_peft
before_peft()
from peft.tuners.lora.layer import Linear
import kernels
print("still importable:", kernels.get_kernel.__name__)
"""


def test_nothing_is_fetched_while_libraries_are_imported(tmp_path: Path):
    pytest.importorskip("bitsandbytes")
    (tmp_path / "kernels.py").write_text(FETCHER)
    environment = {**os.environ, "PYTHONPATH": f"{Path(libraries.__file__).parents[2]}:{tmp_path}"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "still importable: get_kernel"
    assert "kernels-community" not in done.stderr


def test_without_the_library_there_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(libraries.importlib.util, "find_spec", lambda name: None)
    assert libraries.bitsandbytes() is None


def test_the_logger_is_left_as_it_was():
    pytest.importorskip("bitsandbytes")
    before = logging.getLogger(libraries.TELLER).level
    libraries.bitsandbytes()
    assert logging.getLogger(libraries.TELLER).level == before


def test_peft_is_never_imported_without_the_guard():
    """Every function that imports peft asks for the guard first."""
    root = Path(libraries.__file__).parents[1]
    for path in root.rglob("*.py"):
        lines = path.read_text("utf-8").splitlines()
        for place, line in enumerate(lines):
            if line.strip().startswith(("from peft", "import peft")):
                block = [one.strip() for one in lines[max(0, place - 3) : place]]
                assert "before_peft()" in block, f"{path}:{place + 1}"
