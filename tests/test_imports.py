"""What is light stays light: no heavy library is loaded before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "peft", "datasets", "sklearn")


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import accordeur", HEAVY),
        ("import accordeur.app.cli as c, sys; sys.argv = ['accordeur', '--help']\ntry: c.main()\nexcept SystemExit: pass", HEAVY),
        (
            "import accordeur.app.cli as c, sys; sys.argv = ['accordeur', 'compare', '--help']"
            "\ntry: c.main()\nexcept SystemExit: pass",
            HEAVY,
        ),
        ("import accordeur.report, accordeur.run", ("torch", "transformers", "peft")),
        ("import accordeur.evidence.verdict", ("torch", "transformers", "sklearn")),
        (
            "import accordeur.tasks; [accordeur.tasks.kind_of(k) for k in ('classify', 'write', 'tag', 'extract', 'text')]",
            ("torch", "peft"),
        ),
    ],
)
def test_heavy_libraries_are_not_loaded(code, forbidden):
    check = f"\nimport sys\nprint('LOADED', [name for name in {forbidden!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code + check], capture_output=True, text=True, check=True).stdout
    assert out.strip().endswith("LOADED []"), out[-300:]


def test_no_pickle_no_remote_code_in_the_source():
    from pathlib import Path

    forbidden = (
        "import pickle",
        "joblib.load",
        "weights_only=False",
        "allow_pickle=True",
        "trust_remote_code=True",
        "yaml.load(",
        "shell=True",
    )
    source = {path: path.read_text("utf-8") for path in Path("src").rglob("*.py")}
    assert source
    assert not [(str(path), word) for path, text in source.items() for word in forbidden if word in text]


def test_caches_by_shape_are_small_unless_somebody_says_otherwise():
    code = "import accordeur, os; print(os.environ['LRU_CACHE_CAPACITY'], os.environ['ONEDNN_PRIMITIVE_CACHE_CAPACITY'])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["64", "64"]
