"""Bad input on the command line (tables J, C, P, Y): the exit code, one message with place and remedy, nothing left behind."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from accordeur.app import cli

GOOD = [
    json.dumps({"text": f"the {word} of my bow number {n}", "label": "ab"[n % 2]})
    for n, word in enumerate(["hair", "tip", "frog"] * 8)
]
ASK = [json.dumps({"prompt": f"What is {n}?", "completion": f"It is {n}."}) for n in range(24)]


def jsonl(*lines: str | bytes, head: list[str] = GOOD, end: bytes = b"\n") -> bytes:
    """Good rows with other lines after the first two (so those are lines 3, 4, ...)."""
    found = [line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line for line in [*head[:2], *lines, *head[2:]]]
    return b"\n".join(found) + end


def row(**values: Any) -> str:
    return json.dumps({"text": "some text", "label": "a", **values})


def parquet(**columns: Any) -> bytes:
    target = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), target)
    return bytes(target.getvalue())


TEXTS = [f"text {n}" for n in range(24)]
LABELS = ["ab"[n % 2] for n in range(24)]
PARQUET = parquet(text=TEXTS, label=LABELS)
TABLE = "text,label\n" + "".join(f"some text {n},{'ab'[n % 2]}\n" for n in range(24))

# id, name of the file, content, line (0: the file as a whole), words of the message
CASES: list[tuple[str, str, bytes | str, int, list[str]]] = [
    ("J01", "r.jsonl", "", 0, ["0 rows"]),
    ("J02", "r.jsonl", "\n\n\n", 0, ["0 rows"]),
    ("J04", "r.jsonl", jsonl().decode().encode("utf-16"), 0, ["UTF-16", "iconv"]),
    ("J05", "r.jsonl", jsonl(b'{"text": "caf\xe9", "label": "a"}'), 3, ["0xe9", "cp1252", "byte"]),
    ("J06", "r.jsonl", jsonl('{"text": "a\0b", "label": "a"}'), 3, ["NUL"]),
    ("J07", "r.jsonl", jsonl('{"text": "a\\u0000b", "label": "a"}'), 3, ["NUL"]),
    ("J08", "r.jsonl", jsonl('{"text": "a\\ud800b", "label": "a"}'), 3, ["surrogate"]),
    ("J09", "r.jsonl", b"\n".join(line.encode() for line in GOOD) + b'\n{"text": "torn', 25, ["ends mid-record"]),
    ("J10-CR", "r.jsonl", "\r".join(GOOD), 0, ["CR only"]),
    ("J11-comma", "r.jsonl", jsonl('{"text": "a", "label": "b",}'), 3, ["not JSON"]),
    ("J11-quotes", "r.jsonl", jsonl("{'text': 'a', 'label': 'b'}"), 3, ["not JSON"]),
    ("J11-comment", "r.jsonl", jsonl("// a comment"), 3, ["not JSON"]),
    ("J11-words", "r.jsonl", jsonl("{text: a}"), 3, ["not JSON"]),
    ("J12", "r.jsonl", jsonl('{"text": "a", "label": NaN}'), 3, ["NaN"]),
    ("J13", "r.jsonl", jsonl('{"text": "a", "text": "b", "label": "a"}'), 3, ["stands twice"]),
    ("J14", "r.jsonl", jsonl(row(text=3)), 3, ["'text' is a whole number", "expected text"]),
    ("J15-list", "r.jsonl", jsonl(row(text=["a"])), 3, ["'text' is a list"]),
    ("J15-object", "r.jsonl", jsonl(row(text={"a": 1})), 3, ["'text' is an object"]),
    ("J16", "r.jsonl", jsonl(row(label=0)), 0, ["mixes", "'0' in line 3"]),
    ("J17-null", "r.jsonl", jsonl(row(text=None)), 3, ["'text' is null"]),
    ("J17-answer", "r.jsonl", jsonl('{"prompt": "a", "completion": null}', head=ASK), 3, ["'completion' is null"]),
    ("J17-all", "r.jsonl", "\n".join(['{"prompt": "a", "completion": null}'] * 20), 1, ["'completion' is null"]),
    ("J18", "r.jsonl", jsonl('{"text": "a"}'), 3, ["lacks 'label'"]),
    ("J19", "r.jsonl", jsonl('{"prompt": "a", "compeltion": "b"}', head=ASK), 3, ["'compeltion'", "did you mean 'completion'?"]),
    ("J20", "r.jsonl", jsonl(GOOD[0] + GOOD[1]), 3, ["something follows"]),
    ("J21-text", "r.jsonl", jsonl('"only text"'), 3, ["the line is text"]),
    ("J21-number", "r.jsonl", jsonl("5"), 3, ["whole number"]),
    ("J22", "r.jsonl", jsonl('{"text": ' + "[" * 5000 + "]" * 5000 + ', "label": "a"}'), 3, ["deeper than 32"]),
    ("J23", "r.jsonl", jsonl(row(text="x" * (9 << 20))), 3, ["longer than 8 MB"]),
    ("J24-empty", "r.jsonl", jsonl(row(text="")), 3, ["'text' is empty"]),
    ("J24-spaces", "r.jsonl", jsonl(row(text=" \t\u200b")), 3, ["'text' is empty"]),
    ("J24-special", "r.jsonl", jsonl(row(text="<|im_end|> </s>")), 3, ["'text' is empty"]),
    ("J27", "r.jsonl", jsonl(row(text=2**70)), 3, ["expected text"]),
    ("J28-role", "r.jsonl", json.dumps({"messages": [{"role": "usr", "content": "a"}]}), 1, ["turn 1", "'usr'", "user"]),
    ("J28-order", "r.jsonl", json.dumps({"messages": [{"role": "user", "content": "a"}] * 2}), 1, ["turns 1 and 2", "user"]),
    ("J28-null", "r.jsonl", json.dumps({"messages": [{"role": "user", "content": None}]}), 1, ["turn 1", "null"]),
    ("J31-gzip", "r.jsonl", gzip.compress(jsonl(), mtime=0), 0, ["gzip data", ".gz"]),
    ("J31-pickle", "r.jsonl", pickle.dumps([1]), 0, ["pickle"]),
    ("J31-html", "r.jsonl", "<!DOCTYPE html><html><body>404</body></html>", 0, ["HTML page"]),
    ("J31-lfs", "r.jsonl", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", 0, ["git-lfs pointer", "git lfs pull"]),
    ("J32-missing", "absent.jsonl", b"", 0, ["no such file"]),
    ("C01-ragged", "r.csv", TABLE + "one,two,three\n", 26, ["3 cells", "header 2"]),
    ("C01-quote", "r.csv", TABLE + '"never closed,a\n', 26, ["never closed"]),
    ("C03", "r.csv", TABLE.partition("\n")[2], 0, ["header"]),
    ("C04", "r.csv", TABLE.replace("text,label", "text,text", 1), 1, ["'text'", "more than once"]),
    ("C05", "r.csv", TABLE + ",a\n", 26, ["'text' is empty"]),
    ("C07", "r.csv", TABLE.encode() + b"caf\xe9,a\n", 26, ["0xe9", "cp1252"]),
    ("C07-UTF-16", "r.csv", TABLE.encode("utf-16"), 0, ["UTF-16"]),
    ("C08", "r.csv", "text,label\n", 0, ["0 rows"]),
    ("C09", "r.csv", TABLE + '"' + "x" * (9 << 20) + '",a\n', 0, ["8 MB"]),
    ("C11-stray", "r.csv", TABLE + "more text,0\n", 0, ["mixes", "'0' in line 26"]),
    ("C11-space", "r.csv", TABLE + "more text,a \n", 26, ["space around it"]),
    ("P01-cut", "r.parquet", PARQUET[:-20], 0, []),
    ("P01-magic", "r.parquet", b"PAR1", 0, []),
    ("P01-csv", "r.parquet", TABLE, 0, []),
    ("P02", "r.parquet", PARQUET[:60] + b"\xff\xff\xff\xff" + PARQUET[64:], 0, []),
    ("P03", "r.parquet", parquet(text=pa.array([], pa.string()), label=pa.array([], pa.string())), 0, ["0 rows"]),
    ("P04", "r.parquet", parquet(text=[text.encode() for text in TEXTS], label=LABELS), 0, ["'text'", "binary"]),
    ("P04-date", "r.parquet", parquet(text=TEXTS, label=pa.array([0] * 24, pa.timestamp("s"))), 0, ["timestamp"]),
    ("one-class", "r.jsonl", jsonl().replace(b'"label": "b"', b'"label": "a"'), 0, ["every row has the label 'a'"]),
    ("rare-class", "r.jsonl", jsonl(row(label="rare")), 3, ["class 'rare' has 1"]),
    ("three-rows", "r.jsonl", "\n".join(GOOD[:3]), 0, ["at least 10"]),
    ("no-shape", "r.jsonl", '{"foo": 1, "bar": 2}\n', 0, ["no known shape", "--map"]),
    ("suffix", "r.docx", "x", 0, ["format not known", ".jsonl"]),
]  # fmt: skip


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """(exit code, what stands on the error channel) of the command line."""
    monkeypatch.setattr(sys, "argv", ["accordeur", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return int(end.value.code or 0), said.err


def is_one_block(said: str, sort: str) -> None:
    assert said.startswith(f"error[{sort}]")
    assert len(re.findall(r"^error\[", said, re.MULTILINE)) == 1
    assert len(said) < 20_000


@pytest.mark.parametrize("case", [pytest.param(case, id=case[0]) for case in CASES])
def test_bad_data_ends_with_3(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[str, str, bytes | str, int, list[str]],
) -> None:
    _, name, content, line, words = case
    monkeypatch.chdir(tmp_path)
    if name != "absent.jsonl":
        (tmp_path / name).write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    before = sorted(tmp_path.iterdir())
    code, said = call(monkeypatch, capsys, "compare", name, "--budget", "0.1")
    assert code == 3
    is_one_block(said, "data")
    assert f"{name}:{line}:" in said if line else name in said, said
    assert all(word in said for word in words), said
    assert "hint:" in said or line == 0, said
    assert sorted(tmp_path.iterdir()) == before  # no folder of runs


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "link", "unreadable"])
def test_what_is_no_file_ends_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:  # J32
    path = tmp_path / "r.jsonl"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "link":
        path.symlink_to("nowhere")
    elif os.geteuid() == 0:
        pytest.skip("root may read everything")
    else:
        path.write_bytes(jsonl())
        path.chmod(0)
    code, said = call(monkeypatch, capsys, "compare", path, "--out", tmp_path / "out")
    assert code == 3
    is_one_block(said, "data")
    assert not (tmp_path / "out").exists()


ROWS = ["rows.jsonl", "--out", "out", "--budget", "0.1"]
ARGUMENTS: list[tuple[list[str], int, list[str]]] = [
    ([*ROWS, "--methods", "tfidff"], 2, ["unknown method 'tfidff'", "did you mean 'tfidf'?"]),
    ([*ROWS, "--methods", "tfidf,tfidf"], 2, ["listed twice"]),
    ([*ROWS, "--budget", "-1"], 2, ["budget", "greater than 0"]),
    ([*ROWS, "--budget", "nan"], 2, ["budget", "finite"]),
    ([*ROWS, "--budget", "abc"], 2, ["budget"]),
    ([*ROWS, "--seeds", "0"], 2, ["seeds"]),
    ([*ROWS, "--max-length", "1"], 2, ["max_length"]),
    ([*ROWS, "--rows", "3"], 2, ["rows"]),
    ([*ROWS, "--tolerance", "-1"], 2, ["tolerance"]),
    ([*ROWS, "--language", "de"], 2, ["language"]),
    ([*ROWS, "--kind", "write"], 2, ["'write'", "'classify'"]),  # Y12
    ([*ROWS, "--test", "rows.jsonl"], 3, ["no train rows are left", "also test rows"]),  # Y12
    ([*ROWS, "--metric", "macro_f2"], 2, ["macro_f2", "did you mean 'macro_f1'?"]),
    ([*ROWS, "--map", "label"], 2, ["--map", "name=column"]),
    ([*ROWS, "--bogus"], 2, ["--bogus"]),
    ([], 2, ["data"]),
    ([*ROWS, "--map", "label=stars"], 3, ["no column 'stars'"]),
    ([*ROWS, "--map", "lable=label"], 3, ["can't map 'lable'", "did you mean 'label'?"]),
    ([*ROWS, "--group", "thread"], 3, ["'thread'"]),
    ([*ROWS, "--test", "absent.jsonl"], 3, ["absent.jsonl", "no such file"]),
    ([*ROWS, "--test", "strange.jsonl"], 3, ["strange.jsonl:1", "'zzz'"]),
    ([*ROWS, "--base", "./absent"], 4, ["./absent", "config.json"]),
    ([*ROWS, "--base", "rows.jsonl"], 4, ["is a file"]),
    ([*ROWS, "--base", "empty"], 4, ["config.json"]),
    ([*ROWS, "--base", "pickled"], 4, ["pickled weights", "safetensors"]),
    ([*ROWS, "--base", "coded"], 4, ["auto_map"]),
    (["absent.yaml"], 2, ["absent.yaml", "no such recipe"]),
    (["wrong.yaml"], 2, ["wrong.yaml:2", "did you mean 'budget'?"]),
    (["method.yaml"], 2, ["lora", "rank"]),
    (["x" * 300 + ".jsonl"], 2, ["at most 255"]),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rows.jsonl").write_bytes(jsonl())
    (tmp_path / "strange.jsonl").write_text(row(label="zzz") + "\n")
    (tmp_path / "wrong.yaml").write_text("data: rows.jsonl\nbudgt: 1\n")
    (tmp_path / "method.yaml").write_text("data: rows.jsonl\nout: out\nmethods:\n  lora: {rank: many}\n")
    for name in ("empty", "pickled", "coded"):
        (tmp_path / name).mkdir()
    (tmp_path / "pickled/config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "pickled/pytorch_model.bin").write_bytes(pickle.dumps({}))
    (tmp_path / "coded/config.json").write_text('{"model_type": "bert", "auto_map": {"AutoModel": "evil.Model"}}')
    (tmp_path / "coded/evil.py").write_text("open('canary', 'w')")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "words"), ARGUMENTS, ids=[" ".join(case[0])[-40:] or "nothing" for case in ARGUMENTS]
)
def test_wrong_commands(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: list[str],
) -> None:
    before = sorted(folder.rglob("*"))
    found, said = call(monkeypatch, capsys, "compare", *arguments)
    assert found == code, said
    is_one_block(said, {2: "recipe", 3: "data", 4: "model"}[code])
    assert all(word in said for word in words), said
    assert sorted(folder.rglob("*")) == before


def test_errors_of_the_audit_end_with_3_and_force_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row(text=f"the very same text {n // 2}", label="ab"[n % 2]) for n in range(24)]
    (folder / "rows.jsonl").write_text("\n".join(rows))
    code, said = call(monkeypatch, capsys, "compare", *ROWS)
    assert code == 3
    is_one_block(said, "data")
    assert "rows.jsonl:1 = rows.jsonl:2" in said
    assert "--force" in said
    assert not (folder / "out").exists()
    code, said = call(monkeypatch, capsys, "compare", *ROWS, "--force", "--base", "empty")  # past the audit, up to the next check
    assert code == 4
    assert "config.json" in said


def test_a_process_of_its_own_ends_the_same_way(folder: Path) -> None:
    command = [sys.executable, "-m", "accordeur", "compare", "strange.jsonl"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    )
    assert done.returncode == 3
    is_one_block(done.stderr, "data")
    assert "Traceback" not in done.stderr
    assert not (folder / "runs").exists()
