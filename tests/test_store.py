from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from accordeur import store
from accordeur.errors import EnvironmentFault, ModelError


def filled(folder: Path, text: str = "one") -> Path:
    with store.sealed_folder(folder, about="test") as staging:
        (staging / "a.txt").write_text(text)
        (staging / "inner").mkdir()
        (staging / "inner" / "b.txt").write_text("two")
    return folder


def test_a_sealed_folder_is_whole(tmp_path):
    folder = filled(tmp_path / "run")
    manifest = store.verify(folder)
    assert set(manifest["files"]) == {"a.txt", "inner/b.txt"}
    assert manifest["about"] == "test"
    assert os.listdir(tmp_path) == ["run"]


def test_a_failure_inside_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), store.sealed_folder(tmp_path / "run") as staging:
        (staging / "a.txt").write_text("half")
        raise RuntimeError("stop")
    assert os.listdir(tmp_path) == []


def test_replacing_a_folder_keeps_the_old_one_until_the_new_one_is_whole(tmp_path):
    folder = filled(tmp_path / "run", "old")
    with pytest.raises(RuntimeError), store.sealed_folder(folder):
        raise RuntimeError("stop")
    assert (folder / "a.txt").read_text() == "old"
    filled(folder, "new")
    assert (folder / "a.txt").read_text() == "new"
    assert store.is_sealed(folder)


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete", "grow"])
def test_any_damage_is_seen(tmp_path, damage):
    folder = filled(tmp_path / "run", "some longer text")
    path = folder / "a.txt"
    data = bytearray(path.read_bytes())
    if damage == "delete":
        path.unlink()
    else:
        data = {"truncate": data[:-1], "grow": data + b"x", "flip": bytes([data[0] ^ 1]) + bytes(data[1:])}[damage]
        path.write_bytes(bytes(data))
    with pytest.raises(ModelError, match=r"a\.txt"):
        store.verify(folder)


def test_recover_brings_back_a_folder_cut_between_two_renames(tmp_path):
    folder = filled(tmp_path / "run")
    folder.rename(tmp_path / f"{store.STAGING}old-run")
    store.recover(folder)
    assert store.is_sealed(folder)
    assert os.listdir(tmp_path) == ["run"]


KILLED_AT = """
import os, sys
from pathlib import Path
from accordeur import store
at, calls = int(sys.argv[2]), 0
def counted(original):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == at:
            os._exit(9)
        return original(*arguments, **options)
    return call
for name in ("fsync", "rename", "replace", "open"):
    setattr(os, name, counted(getattr(os, name)))
with store.sealed_folder(Path(sys.argv[1])) as staging:
    (staging / "a.txt").write_text("new")
sys.exit(0)
"""


def test_killed_at_every_call_leaves_the_old_folder_or_the_new_one(tmp_path):
    """F02: the process ends at the n-th fsync, rename, replace or open of a save, for every n."""
    for at in range(1, 40):
        folder = filled(tmp_path / str(at) / "run", "old")
        code = subprocess.run([sys.executable, "-c", KILLED_AT, str(folder), str(at)], check=False).returncode
        store.recover(folder)
        assert store.is_sealed(folder), f"call {at}"
        assert (folder / "a.txt").read_text() in ("old", "new")
        if code == 0:
            assert at > 4
            return
    pytest.fail("the save never came to its end")


def test_json_refuses_numbers_that_are_none(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert os.listdir(tmp_path) == []


def test_the_lock_names_its_holder(tmp_path):
    with (
        store.locked(tmp_path / "out"),
        pytest.raises(EnvironmentFault, match=f"process {os.getpid()}"),
        store.locked(tmp_path / "out"),
    ):
        pass
    with store.locked(tmp_path / "out"):
        pass


def test_no_space_is_told_with_numbers(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFault, match=r"no space left .* MB free"):
        store.write_text(tmp_path / "a.txt", "x")
    assert os.listdir(tmp_path) == []


def test_a_path_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(EnvironmentFault, match="can't write"):
        store.write_text(tmp_path / "file" / "a.txt", "x")


def test_fingerprints_depend_on_content_only():
    assert store.fingerprint({"a": 1, "b": [2]}) == store.fingerprint(json.loads('{"b": [2], "a": 1}'))
    assert store.fingerprint({"a": 1}) != store.fingerprint({"a": 2})
