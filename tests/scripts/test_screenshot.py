"""The picture of a report: taken where a browser is, refused in words where something is missing."""

from __future__ import annotations

import importlib.util
import shutil
import struct
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "screenshot.py"
PAGE = (
    "<html><style>body{background:#fff}@media(prefers-color-scheme:dark){body{background:#000}}</style><body>report</body></html>"
)


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("screenshot", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.html").write_text(PAGE, "utf-8")
    return tmp_path / "run"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_a_picture_has_the_size_asked_for_and_the_scheme(script, folder, tmp_path):
    picture = tmp_path / "out" / "report.png"
    assert script.main([str(folder), str(picture), "--width", "640", "--height", "600"]) == 0
    data = picture.read_bytes()
    assert struct.unpack(">II", data[16:24]) == (640, 600)
    assert script.main([str(folder), str(picture), "--width", "640", "--height", "600", "--dark"]) == 0
    assert picture.read_bytes() != data


def test_without_a_browser_it_says_what_to_install(script, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(script.shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        script.main([str(folder), str(tmp_path / "report.png")])
    assert not (tmp_path / "report.png").exists()


def test_a_folder_without_a_report_is_refused(script, tmp_path):
    with pytest.raises(SystemExit, match="does not exist"):
        script.main([str(tmp_path), str(tmp_path / "report.png")])


def test_a_browser_that_fails_leaves_no_picture(script, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "find_browser", lambda: shutil.which("false"))
    with pytest.raises(SystemExit, match="took no picture"):
        script.main([str(folder), str(tmp_path / "report.png")])
    assert not (tmp_path / "report.png").exists()
