"""Files that would hang or fill the memory: refused at once, in bounded memory."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from accordeur.data import read_rows
from accordeur.errors import DataError
from tests.data.files import refused, says, values, write

MB = 1 << 20
MARK = "--- now"
CHILD = """
import sys
from pathlib import Path
from accordeur.data import read_rows
from accordeur.errors import DataError

def high_water():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

def read(path):
    try:
        print(sum(1 for _ in read_rows(Path(path))))
    except DataError as refusal:
        print(refusal)

read(sys.argv[1])
print("--- now", end="")
before = high_water()
read(sys.argv[2])
print((high_water() - before) / 1024)
"""


def read_apart(path: Path) -> tuple[str, float]:
    """(what reading says or how many rows it finds, by how many MB it raised the memory of a process of its own)."""
    warm = write(path.parent, "warm" + "".join(path.suffixes), b"")
    done = subprocess.run([sys.executable, "-c", CHILD, warm, path], capture_output=True, text=True, check=True)
    said, grown = done.stdout.partition(MARK)[2].rstrip("\n").rsplit("\n", 1)
    return said, float(grown)


def test_long_line_is_refused_before_it_is_held(tmp_path: Path) -> None:
    good = '{"text": "a"}\n'
    path = write(tmp_path, "rows.jsonl", good + '{"text": "' + "x" * (100 * MB) + '"}\n' + good + "oops\n")
    said, grown = read_apart(path)
    says(said, ":2: the line is longer than 8 MB", ":4:")
    assert grown < 64


def test_line_just_under_the_limit_is_read(tmp_path: Path) -> None:
    text = "x" * (8 * MB - 100)
    assert values(write(tmp_path, "rows.jsonl", json.dumps({"text": text}))) == [{"text": text}]


@pytest.mark.parametrize("content", ['[{"text": "' + "x" * (20 * MB) + '"}]', "[" + " " * (20 * MB)])
def test_long_array_element_is_refused(tmp_path: Path, content: str) -> None:
    path = write(tmp_path, "rows.json", content)
    said, grown = read_apart(path)
    says(said, "rows.json:1")
    assert grown < 100


def test_bombs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=9) as stream:
        for _ in range(100):
            stream.write(b"\n" * MB)
    says(refused(path), "blank lines in a row")
    one_line = tmp_path / "line.jsonl.gz"
    with gzip.open(one_line, "wb", compresslevel=9) as stream:
        for _ in range(100):
            stream.write(b"x" * MB)
    said, grown = read_apart(one_line)
    says(said, "decompression bomb")
    assert grown < 64


def test_unclosed_quote_in_a_large_table_is_bounded(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.csv", 'text,label\n"open,a\n' + ("more text " * 100 + ",b\n") * 20_000)
    said, grown = read_apart(path)
    says(said, ":2:", "8 MB")
    assert grown < 100


def test_200_000_rows_are_read_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with path.open("w") as stream:
        for number in range(200_000):
            stream.write(f'{{"id": "{number}", "text": "row {number} of a large file", "label": "{number % 3}"}}\n')
    said, grown = read_apart(path)
    assert said == "200000"
    assert grown < 20


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "broken.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "zero.jsonl").symlink_to("/dev/zero")
    (tmp_path / "loop.jsonl").symlink_to(tmp_path / "loop.jsonl")
    expected = {"folder": "folder", "pipe": "a pipe", "broken": "broken link", "zero": "a device", "loop": "loop.jsonl"}
    for name, words in expected.items():
        says(refused(tmp_path / f"{name}.jsonl"), words)


def test_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.jsonl")
        says(refused(Path("s.jsonl")), "a socket")


def test_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "rows.jsonl", '{"text": "a"}\n')

    def forbidden(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    says(refused(path), "rows.jsonl", "Permission denied")


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "train.jsonl", "{}")
    says(refused(tmp_path / "trian.jsonl"), "no such file", "did you mean 'train.jsonl'")
    says(refused(tmp_path / "nowhere" / "a.jsonl"), "no such file")
    says(refused(Path("a\0b.jsonl")), "null")


def test_unknown_format_lists_those_known(tmp_path: Path) -> None:
    says(refused(write(tmp_path, "rows.xyz", "a")), "rows.xyz", ".jsonl", ".parquet")
    says(refused(write(tmp_path, "data.parquet.gz", "a")), "format not known")


def test_folder_of_other_files_names_them(tmp_path: Path) -> None:
    write(tmp_path, "train.jsonl", "{}")
    with pytest.raises(DataError, match=r"train\.jsonl"):
        list(read_rows(tmp_path))
