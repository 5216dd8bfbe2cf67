"""`accordeur check` from the command line: exit codes, files, the page in both languages, the cleaned copy."""

from __future__ import annotations

import html
import json
import re
import sys
from pathlib import Path

import pytest

from accordeur.app import cli
from accordeur.app.check_words import WORDS
from accordeur.data import hub
from tests.audit.test_labels import topical

SAMPLE = Path(cli.__file__).parent.parent / "assets" / "sample"


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The exit code of `accordeur` with these arguments."""
    monkeypatch.setattr(sys, "argv", ["accordeur", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def rows(path: Path, found: list[tuple[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in found), encoding="utf-8")
    return path


def visible(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", page))


def test_good_rows_end_well_with_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rows(tmp_path / "rows.jsonl", topical(90))
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "check", path) == 0
    plain = json.loads((tmp_path / "checks/rows/check.json").read_text(encoding="utf-8"))
    assert plain["errors"] == 0
    assert plain["facts"]["planned"]["rows"]["train"] > 40
    assert "Nothing wrong was found." in (tmp_path / "checks/rows/check.html").read_text(encoding="utf-8")


def test_a_hub_dataset_is_checked_by_its_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def parts(name: str, config: str | None) -> dict[str, list[dict[str, str]]]:
        assert (name, config) == ("org/pets", "plain")
        found = {"train": topical(90), "test": [*topical(30, seed=5), topical(90)[0]]}
        return {part: [{"text": text, "label": label} for text, label in rows] for part, rows in found.items()}

    monkeypatch.setattr(hub, "fetched", parts)
    monkeypatch.setattr(hub, "class_names", lambda split: {})
    monkeypatch.setattr("accordeur.app.check_run.COPIES", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "check", "hub:org/pets:plain") == 3
    said = capsys.readouterr().out
    assert "Rows of train that stand in test too: 1." in said
    assert "test from split 'test'" in said
    plain = json.loads((tmp_path / "checks/pets/check.json").read_text(encoding="utf-8"))
    assert plain["data"] == "hub:org/pets:plain"
    assert plain["rows"] == {"train": 90, "test": 31}
    assert "hub:org/pets:plain" in (tmp_path / "checks/pets/check.html").read_text(encoding="utf-8")


def test_a_hub_dataset_that_cant_be_had_ends_with_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def offline(name: str, config: str | None) -> None:
        raise ConnectionError("no way out")

    monkeypatch.setattr(hub, "load", offline)
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "check", "org/pets") == 4
    assert "hub dataset org/pets can't be had" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_errors_end_with_3_unless_forced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train, test = topical(90), topical(30, seed=5)
    path, other = rows(tmp_path / "train.jsonl", [*train, *test[:4]]), rows(tmp_path / "test.jsonl", test)
    out = tmp_path / "out"
    assert call(monkeypatch, "check", path, "--test", other, "--out", out) == 3
    assert "Rows of train that stand in test too: 4." in capsys.readouterr().out
    assert call(monkeypatch, "check", path, "--test", other, "--out", out, "--force") == 0
    assert json.loads((out / "check.json").read_text(encoding="utf-8"))["forced"]
    assert WORDS["en"]["forced"] in visible((out / "check.html").read_text(encoding="utf-8"))


def test_the_cleaned_copy_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = topical(90), topical(30, seed=5)
    path = rows(tmp_path / "train.jsonl", [*train, *test[:4], ("", "food"), train[0]])
    other, copy = rows(tmp_path / "test.jsonl", test), tmp_path / "clean.jsonl"
    assert call(monkeypatch, "check", path, "--test", other, "--out", tmp_path / "a", "--fix", copy) == 3
    left_out = json.loads((tmp_path / "a/check.json").read_text(encoding="utf-8"))["fix"]["left_out"]
    assert [change["why"] for change in left_out if change["why"] != "near-leak"] == ["bad", *["leaked"] * 4, "duplicate"]
    assert call(monkeypatch, "check", copy, "--test", other, "--out", tmp_path / "b") == 0
    assert call(monkeypatch, "check", path, "--out", tmp_path / "c", "--fix", copy) == 2  # never over a file that exists


@pytest.mark.parametrize("content", ["", "[1, 2]", "{torn", '{"foo": 1}\n', '{"text": "one", "label": "a"}\n'])
def test_files_that_cannot_be_used_are_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(content)
    assert call(monkeypatch, "check", path, "--out", tmp_path / "out") == 3
    plain = json.loads((tmp_path / "out/check.json").read_text(encoding="utf-8"))
    assert plain["findings"][0]["code"] in ("unreadable", "no-split")
    assert (tmp_path / "out/check.html").stat().st_size > 1000


@pytest.mark.parametrize("arguments", [["--language", "de"], ["--map", "nonsense"], ["--unknown"], ["--max-length", "0"]])
def test_wrong_arguments_end_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    path = rows(tmp_path / "rows.jsonl", topical(30))
    assert call(monkeypatch, "check", path, "--out", tmp_path / "out", *arguments) == 2
    assert not (tmp_path / "out").exists()


def test_the_page_loads_nothing_and_shows_foreign_text_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "<script>alert(1)</script>"
    path = rows(
        tmp_path / "rows.jsonl",
        [*topical(90), ("same words here", evil), ("same words here", "<img src=http://x.example>\u202e")],
    )
    call(monkeypatch, "check", path, "--out", tmp_path / "out")
    page = (tmp_path / "out/check.html").read_text(encoding="utf-8")
    assert evil not in page
    assert html.escape(evil) in page
    assert "\u202e" not in page
    assert not re.search(r"<[^>]+(?:src|href)=", page)
    assert "default-src 'none'" in html.unescape(page)


def test_the_page_speaks_french(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "check", SAMPLE / "messages.jsonl", "--out", tmp_path / "out", "--language", "fr") == 0
    page = (tmp_path / "out/check.html").read_text(encoding="utf-8")
    assert '<html lang="fr">' in page
    assert "Les lignes sont en plusieurs langues" in visible(page)
    assert WORDS["en"].keys() == WORDS["fr"].keys()


@pytest.mark.parametrize("name", ["messages", "instructions"])
def test_the_embedded_sample_passes_its_own_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert call(monkeypatch, "check", SAMPLE / f"{name}.jsonl", "--out", tmp_path) == 0
    plain = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))
    repeated = plain["facts"]["duplicates"]["file"]
    assert plain["errors"] == 0
    assert repeated["exact"] == 0
    assert repeated["near"] < 0.02 * repeated["rows"]


def test_lengths_are_measured_in_the_tokens_of_a_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from accordeur.base import default_encoder

    path = rows(tmp_path / "rows.jsonl", topical(60))
    assert call(monkeypatch, "check", path, "--base", default_encoder().path, "--out", tmp_path / "out") == 0
    lengths = json.loads((tmp_path / "out/check.json").read_text(encoding="utf-8"))["facts"]["lengths"]
    assert (lengths["unit"], lengths["limit"], lengths["rows"]) == ("tokens", 512, 60)
