"""Rows of every kind that can't be right, through the command line: the exit code, the line, a hint, and nothing written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from accordeur.app import cli
from accordeur.compare import compare
from accordeur.recipe import parse_recipe
from tests.bases import tiny

TOKENS = {"tokens": ["Ada", "in", "Paris"], "tags": ["B-PER", "O", "B-LOC"]}
CONTEXT = "Ada was born in London"
QUESTION = {"question": "Where?", "context": CONTEXT, "answers": {"text": ["London"], "answer_start": [16]}}
BAD: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {  # good row, changes that spoil it, words of the message
    "tags-without-text": (TOKENS, {"tokens": []}, ["'tokens' is an empty list"]),
    "no-tags": (TOKENS, {"tags": []}, ["'tags' is an empty list"]),
    "more-tags": (TOKENS, {"tags": ["O", "O", "O", "O"]}, ["3 tokens, but 4 tags"]),
    "fewer-tags": (TOKENS, {"tags": ["O"]}, ["3 tokens, but 1 tags"]),
    "unknown-scheme": (TOKENS, {"tags": ["PER", "O", "LOC"]}, ["'PER' is no tag of a known scheme", "IOB2"]),
    "unknown-prefix": (TOKENS, {"tags": ["X-PER", "O", "O"]}, ["'X-PER'", "BIOES"]),
    "token-is-number": (TOKENS, {"tokens": [1.5, "in", "Paris"]}, ["'tokens' item 1"]),
    "past-the-end": (QUESTION, {"answers": {"text": ["London"], "answer_start": [40]}}, ["London", "40"]),
    "elsewhere": (QUESTION, {"answers": {"text": ["London"], "answer_start": [0]}}, ["London"]),
    "negative": (QUESTION, {"answers": {"text": ["London"], "answer_start": [-6]}}, ["London", "-6"]),
    "not-in-context": (QUESTION, {"answers": {"text": ["Paris"], "answer_start": [16]}}, ["Paris"]),
    "two-texts-one-start": (QUESTION, {"answers": {"text": ["London", "in"], "answer_start": [16]}}, ["same length"]),
    "empty-context": (QUESTION, {"context": " "}, ["'context' is empty"]),
    "empty-question": (QUESTION, {"question": ""}, ["'question' is empty"]),
}  # fmt: skip


def rows_of(good: dict[str, Any], count: int = 30) -> list[dict[str, Any]]:
    """Rows that differ, so that none is a repetition of another."""
    if "tokens" in good:
        return [{"tokens": [*good["tokens"], str(place)], "tags": [*good["tags"], "O"]} for place in range(count)]
    return [{**good, "context": f"{CONTEXT} {place}"} for place in range(count)]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_ends_with_3_and_its_line(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good, spoiled, words = BAD[case]
    rows = rows_of(good)
    rows[6] = {**good, **spoiled}
    path = write(tmp_path / "rows.jsonl", rows)
    monkeypatch.setattr(sys, "argv", ["accordeur", "compare", str(path), "--out", str(tmp_path / "out"), "--methods", "lexicon"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr().err
    assert end.value.code == 3
    assert said.startswith("error[data]") and "rows.jsonl:7:" in said, said
    assert all(word in said for word in words), said
    assert not (tmp_path / "out").exists()


def run(tmp_path: Path, family: str, **recipe: Any) -> dict[str, Any]:
    values = {"base": str(tiny(family).path), "out": str(tmp_path / "out"), "budget": 0.02, "max_length": 96, **recipe}
    return compare(parse_recipe(values))


def test_types_that_only_the_test_file_has_are_told(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", rows_of(TOKENS))
    strange = {"tokens": ["Accordeur", "sells", "x"], "tags": ["B-ORG", "O", "O"]}
    test = write(tmp_path / "test.jsonl", [*({**strange, "tokens": [*strange["tokens"][:2], f"y{n}"]} for n in range(4))])
    report = run(tmp_path, "encoder", data=str(train), test=str(test), methods={"lexicon": {}})
    assert [run["status"] for run in report["runs"]] == ["done"]
    assert any("4 test rows have labels that no train row has" in note and "ORG" in note for note in report["notes"])


@pytest.mark.parametrize(
    ("family", "rows", "method", "words"),
    [
        ("encoder", [{"instruction": f"say {n}", "output": f"{n}!"} for n in range(30)], "full", ["decoder", "--base"]),
        ("encoder", [{"text": f"a text of words {n}"} for n in range(30)], "full", ["decoder"]),
        ("encoder-decoder", [{"text": f"a text of words {n}"} for n in range(30)], "lora", ["decoder"]),
        ("encoder", rows_of(TOKENS), "prompt", ["can't be asked"]),
        ("encoder", rows_of(QUESTION), "fewshot", ["encoder"]),
        ("encoder", rows_of(TOKENS), "text-to-text", ["encoder-decoder", "--base"]),
        ("decoder", rows_of(TOKENS), "head", ["classif"]),
    ],
)
def test_a_base_of_the_wrong_family_is_skipped_with_a_hint(
    family: str, rows: list[dict[str, Any]], method: str, words: list[str], tmp_path: Path
) -> None:
    """The other methods go on; the reason is in the record and in the report."""
    data = write(tmp_path / "rows.jsonl", rows)
    floor = {"tokens": "lexicon", "question": "overlap", "instruction": "copy"}.get(next(iter(rows[0])), "ngram")
    report = run(tmp_path, family, data=str(data), methods={floor: {}, method: {}})
    found = {run["method"]: run for run in report["runs"]}
    assert found[method]["status"] == "skipped"
    assert all(word in found[method]["reason"] for word in words), found[method]["reason"]
    assert found[floor]["status"] in ("done", "skipped")
