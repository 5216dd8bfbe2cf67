from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from accordeur.data import load_examples, read_rows
from tests.data.files import jsonl, refused, says, values, write

GOOD = '{"text": "fine", "label": "a"}\n'

# id, file content, words that the refusal must hold (a line as ":n:")
REFUSED = [
    ("J01-empty", b"", ["0 rows"]),
    ("J02-newlines", b"\n\n\n", ["0 rows"]),
    ("J04-utf16-bom", GOOD.encode("utf-16"), ["UTF-16", "iconv -f UTF-16 -t UTF-8"]),
    ("J04-utf16-no-bom", GOOD.encode("utf-16-le"), ["UTF-16LE", "iconv"]),
    (
        "J05-latin1",
        GOOD.encode() + '{"text": "é", "label": "a"}\n'.encode("latin-1"),
        [":2:", "byte 11 ", "byte 41 ", "cp1252", "'é'", "iconv"],
    ),
    ("J06-nul", GOOD.encode() + b'{"text": "a\0b", "label": "a"}\n', [":2:", "NUL"]),
    ("J07-escaped-nul", GOOD + '{"text": "a\\u0000b", "label": "a"}\n', [":2:", "NUL"]),
    ("J08-surrogate", GOOD + '{"text": "\\ud800", "label": "a"}\n', [":2:", "lone surrogate", "d800"]),
    ("J08-surrogate-in-key", '{"te\\udc00xt": "a"}\n', [":1:", "lone surrogate"]),
    ("J09-torn", GOOD + '{"text": "fi', [":2:", "ends mid-record"]),
    ("J09-torn-after-comma", GOOD + '{"text": "fine",', [":2:", "ends mid-record"]),
    ("J09-torn-in-escape", GOOD + '{"text": "\\u00', [":2:", "ends mid-record"]),
    ("J10-cr-only", GOOD.replace("\n", "\r") * 3, ["CR only"]),
    ("J10-cr-inside", GOOD + GOOD.replace("\n", "\r") + GOOD, [":2:", "CR only"]),
    ("J11-trailing-comma", GOOD + '{"text": "a", "label": "b",}\n', [":2:", "column 28"]),
    ("J11-single-quotes", "{'text': 'a'}\n", [":1:", "double quotes"]),
    ("J11-comment", GOOD + "// note\n", [":2:", "not JSON"]),
    ("J11-bare-word", GOOD + '{"text": nothing}\n', [":2:", "nothing"]),
    ("J12-nan", GOOD + '{"text": "a", "label": NaN}\n', [":2:", "NaN"]),
    ("J12-infinity", '{"text": "a", "label": Infinity}\n', [":1:", "Infinity"]),
    ("J12-minus-infinity", '{"text": "a", "label": -Infinity}\n', [":1:", "-Infinity"]),
    ("J12-1e999", '{"text": "a", "label": 1e999}\n', [":1:", "too large"]),
    ("J13-duplicate-key", GOOD + '{"text": "a", "label": "b", "text": "c"}\n', [":2:", "'text'", "twice"]),
    ("J14-text-then-int", GOOD + '{"text": 5, "label": "a"}\n', [":2:", "'text'", "whole number", "expected text"]),
    ("J15-text-then-list", GOOD + '{"text": ["a"], "label": "a"}\n', [":2:", "a list"]),
    ("J15-text-then-object", GOOD + '{"text": {"a": 1}, "label": "a"}\n', [":2:", "an object"]),
    (
        "J16-int-then-text",
        '{"text": "a", "label": 0}\n{"text": "b", "label": "pos"}\n',
        ["mixes", "whole number", "line 1", "'pos' in line 2", "'0' 1"],
    ),
    ("J16-true-then-1", '{"text": "a", "label": true}\n{"text": "b", "label": 1}\n', ["mixes", "true/false", "whole number"]),
    ("J16-0-then-1.5", '{"text": "a", "label": 0}\n{"text": "b", "label": 1.5}\n', ["mixes", "decimal"]),
    ("J17-null-text", GOOD + '{"text": null, "label": "a"}\n', [":2:", "null", "expected text"]),
    ("J17-null-label", GOOD + '{"text": "b", "label": null}\n', [":2:", "null", "expected a label"]),
    ("J18-missing", GOOD + '{"text": "b"}\n', [":2:", "lacks 'label'", "line 1"]),
    ("J19-misspelt", GOOD + '{"text": "b", "lable": "a"}\n', [":2:", "'lable'", "did you mean 'label'"]),
    ("J19-extra", GOOD + '{"text": "b", "label": "a", "more": 1}\n', [":2:", "unknown key 'more'"]),
    ("J20-glued", GOOD.strip() + GOOD, [":1:", "one object a line"]),
    ("J20-array-and-more", "[" + GOOD + "]" + GOOD, [":2:", "follows the array"]),
    ("J20-array-of-texts", '["a", "b"]', [":1:", "the element is text"]),
    ("J20-array-torn", "[" + GOOD + ',{"text": "b', [":2:", "ends mid-record"]),
    ("J20-array-open", "[" + GOOD, ["isn't closed"]),
    ("J20-array-comma", "[\n" + GOOD + ",\n]", [":4:"]),
    ("J20-array-duplicate", '[\n{"text": "a", "text": "b"}]', [":2:", "twice"]),
    ("J20-array-latin1", b'[\n{"text": "a"},\n{"text": "\xe9t\xe9"}]', [":3:", "0xe9", "cp1252"]),
    ("J20-empty-array", "[]", ["0 rows"]),
    ("J20-pretty", json.dumps({"text": "a", "label": "b"}, indent=2), [":1:", "isn't closed on this line"]),
    ("J21-string", GOOD + '"text"\n', [":2:", "the line is text"]),
    ("J21-number", "5\n", [":1:", "a whole number"]),
    ("J22-deep", GOOD + '{"text": ' + "[" * 5000 + "]" * 5000 + "}\n", [":2:", "deeper than 32"]),
    ("J22-deep-array", "[" * 5000 + "]" * 5000, ["deep"]),
    ("J22-33-levels", GOOD + '{"text": ' + "[" * 33 + "]" * 33 + "}\n", [":2:", "deeper than 32"]),
    ("J24-empty", GOOD + '{"text": "", "label": "a"}\n', [":2:", "empty"]),
    ("J24-spaces", GOOD + '{"text": " \\t ", "label": "a"}\n', [":2:", "empty"]),
    ("J24-zero-width", GOOD + '{"text": "\u200b\ufeff", "label": "a"}\n', [":2:", "empty"]),
    ("J24-special-only", GOOD + '{"text": "<|im_end|> </s>", "label": "a"}\n', [":2:", "empty"]),
    ("J27-5000-digits", '{"text": "a", "label": ' + "9" * 5000 + "}\n", [":1:", "5000 digits"]),
    ("J31-gzip", gzip.compress(GOOD.encode(), mtime=0), ["gzip", ".gz"]),
    ("J31-pickle", b"\x80\x04\x95\x10\x00", ["pickle", "never opened"]),
    ("J31-html", b"\n<!DOCTYPE html><html><body>404</body></html>", ["HTML page"]),
    ("J31-lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", ["git-lfs pointer", "git lfs pull"]),
    ("J31-png", b"\x89PNG\r\n\x1a\n", ["PNG"]),
    ("J31-zip", b"PK\x03\x04....", ["zip"]),
    ("J31-parquet", b"PAR1....", ["Parquet"]),
]


@pytest.mark.parametrize(("content", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_bad_file_is_refused_with_line_and_reason(tmp_path: Path, content: bytes | str, words: list[str]) -> None:
    says(refused(write(tmp_path, "rows.jsonl", content)), "rows.jsonl", *words)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n") * 2,
        GOOD + "\n  \n" + GOOD,
        GOOD.strip(),
        "[" + GOOD + "]",
        "\ufeff [\n" + GOOD + ",\n" + GOOD + "]\n\n",
    ],
    ids=["J03-bom", "J10-crlf", "J10-blank", "no-last-newline", "J20-array", "J20-array-bom"],
)
def test_harmless_oddities_are_accepted(tmp_path: Path, content: str) -> None:
    for found in values(write(tmp_path, "rows.jsonl", content)):
        assert found == {"text": "fine", "label": "a"}


@pytest.mark.parametrize(("content", "note"), [("\ufeff" + GOOD, "byte order mark"), ("[" + GOOD + "]", "JSON array")])
def test_oddities_are_noted(tmp_path: Path, content: str, note: str) -> None:
    rows = read_rows(write(tmp_path, "rows.jsonl", content))
    assert len(list(rows)) == 1
    says(" ".join(rows.notes), note)


@pytest.mark.parametrize(
    "text",
    [
        "007",
        "NA",
        "None",
        "null",
        "2020-01-01T00:00:00",
        "TRUE",
        "a\u2028b\u2029c\x85d",
        "\u202eabc",
        "e\u0301",
        "👩\u200d👩\u200d👧",
        "a\r\nb\tc",
        "=cmd|x",
    ],
)
def test_text_stays_text(tmp_path: Path, text: str) -> None:
    row = {"text": text, "label": "NA", "id": "0012"}
    assert values(jsonl(tmp_path, [row])) == [row]
    assert values(write(tmp_path, "rows.json", json.dumps([row, row]))) == [row, row]
    example = load_examples(jsonl(tmp_path, [row]))[1][0]
    assert (example.given["text"], example.expected, example.id) == (text, "NA", "0012")


def test_large_whole_number_is_kept_exactly(tmp_path: Path) -> None:
    path = jsonl(tmp_path, [{"text": "a", "label": 2**70}])
    assert load_examples(path)[1][0].expected == str(2**70)


def test_lines_are_physical_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.jsonl", "\n" + GOOD + "\n\n" + GOOD)
    assert [row.line for row in read_rows(path)] == [2, 5]
    array = write(tmp_path, "rows.json", "[\n\n" + GOOD + "\n," + GOOD + "]")
    assert [row.line for row in read_rows(array)] == [3, 5]


def test_array_elements_larger_than_a_chunk_are_read(tmp_path: Path) -> None:
    rows = [{"text": "x" * size + '"]}', "n": [1, 2]} for size in (10, 70_000, 300_000, 5)]
    assert values(write(tmp_path, "rows.json", json.dumps(rows))) == rows


def test_all_problems_are_listed_and_capped_at_50(tmp_path: Path) -> None:
    message = refused(write(tmp_path, "rows.jsonl", GOOD + "oops\n" * 60))
    says(message, "60 bad rows", ":2:", ":51:", "10 more")
    assert ":52:" not in message


def test_skip_bad_is_a_budget(tmp_path: Path) -> None:
    path = write(tmp_path, "rows.jsonl", GOOD + "oops\n" + GOOD + '{"text": 1}\n')
    rows = read_rows(path, skip_bad=2)
    assert [row.line for row in rows] == [1, 3]
    says(" ".join(rows.notes), "2 bad rows left out", ":2", ":4")
    says(refused(path, skip_bad=1), "2 bad rows, 1 allowed")


def test_gzip_is_read_and_damage_refused(tmp_path: Path) -> None:
    packed = gzip.compress((GOOD * 2000).encode())
    assert len(values(write(tmp_path, "rows.jsonl.gz", packed))) == 2000
    says(refused(write(tmp_path, "cut.jsonl.gz", packed[:-30])), "cut.jsonl.gz:", "truncated")
    says(refused(write(tmp_path, "plain.jsonl.gz", GOOD)), "isn't gzip")
    broken = bytearray(packed)
    broken[60:70] = b"\xff" * 10
    refused(write(tmp_path, "broken.jsonl.gz", bytes(broken)))
    says(refused(write(tmp_path, "twice.jsonl.gz", gzip.compress(packed))), "gzip")
