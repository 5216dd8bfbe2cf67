"""The verbs `tokenizer` and `pretrain` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer
from typer.testing import CliRunner

from accordeur.app import tokenizer
from accordeur.app.cli import app
from accordeur.errors import AccordeurError
from accordeur.foundations import corpus
from accordeur.foundations.default import EMBEDDED
from tests.foundations.words import text


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for number in range(2):
        (tmp_path / f"{number}.txt").write_text(text(120, number), "utf-8")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "binary.txt").write_bytes(b"abc\0\0def")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None:
        raise result.exception
    return result.output


def test_a_tokenizer_is_trained_and_opens(files: Path) -> None:
    assert "300 entries" in run("tokenizer", "train", "0.txt", "--size", "300", "--out", "made")
    assert len(AutoTokenizer.from_pretrained(files / "made")) == 300


def test_tokenizers_are_compared_in_one_table(files: Path) -> None:
    said = run("tokenizer", "compare", "0.txt", "--unseen", "1.txt", "--size", "300")
    for kind in ("bpe", "wordpiece", "unigram", "char", "word"):
        assert sum(line.startswith(f"{kind} ") for line in said.splitlines()) == 2


def test_merges_are_explained_and_drawn(files: Path) -> None:
    said = run("tokenizer", "explain", "low low lower newest", "--merges", "3", "--picture", "made/merges.svg")
    assert "l + o" in said
    assert (files / "made" / "merges.svg").read_text("utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tokenizer", "train", "0.txt", "--kind", "bped"), "kind 'bped' is unknown"),
        (("tokenizer", "train", "none.txt"), "no file or folder"),
        (("tokenizer", "compare", "0.txt", "--train"), "--unseen"),
        (("tokenizer", "explain", "  "), "no word"),
        (("pretrain", "0.txt", "--width", "100", "--heads", "3"), "not a multiple of 3 heads"),
        (("pretrain", "0.txt", "--layers", "0"), "layers 0: expected at least 1"),
        (("pretrain", "0.txt", "--objective", "masked"), "doesn't fit family gpt"),
        (("pretrain", "none.txt"), "no file or folder"),
        (("pretrain", "empty.txt"), "the corpus is empty"),
        (("pretrain", "binary.txt"), "binary file"),
        (("tokenizer", "train", "binary.txt"), "binary file"),
        (("tokenizer", "train", "0.txt", "--size", "50000"), "corpus allows only"),
        (("tokenizer", "train", "0.txt", "--kind", "word", "--size", "50000"), "corpus allows only"),
        (("pretrain", "0.txt", "--size", "tiny", "--vocabulary", "50000"), "corpus allows only"),
        (("pretrain", "0.txt", "--size", "tiny", "--vocabulary", "300", "--family", "t5"), "choose 359 or more"),
        (("pretrain", "0.txt", "--size", "tiny", "--held-out", "0.txt"), "0.txt is both trained on and held out"),
        (("tokenizer", "compare", "empty.txt"), "the corpus is empty: no text in empty.txt"),
        (("pretrain", "0.txt", "--tokenizer", "none"), "no tokenizer in none"),
        (("pretrain", "0.txt", "--tokenizer", str(EMBEDDED), "--size", "tiny"), "choose --vocabulary 6144"),
        (("pretrain", "0.txt", "--tokenizer", str(EMBEDDED), "--vocabulary", "6144", "--family", "bert"), "no [MASK]"),
        (("pretrain", "0.txt", "1.txt", "--family", "rnn"), "family 'rnn'"),
    ],
)
def test_wrong_requests_are_refused(files: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(AccordeurError) as caught:
        run(*arguments)
    assert message in str(caught.value)
    assert not list(files.glob(".*.work"))


@pytest.mark.parametrize("flag", ["--steps", "--budget"])
def test_no_time_at_all_is_refused(files: Path, flag: str) -> None:
    result = CliRunner().invoke(app, ["pretrain", "0.txt", flag, "0"])
    assert result.exit_code == 2
    assert flag in result.output


def test_without_a_size_a_tokenizer_is_as_large_as_the_text_allows(files: Path) -> None:
    assert "char, " in run("tokenizer", "train", "0.txt", "--kind", "char", "--out", "made")
    assert 20 < len(AutoTokenizer.from_pretrained(files / "made")) < 100


def test_of_an_endless_line_no_more_is_read_than_is_measured(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "PIECE", 500)
    monkeypatch.setattr(tokenizer, "CHARACTERS", 1000)
    monkeypatch.setattr(tokenizer, "LONGEST", 100)
    (files / "line.txt").write_bytes(b"word " * 1000 + b"\0")  # whoever reads to its end finds a binary file
    found = tokenizer.first_lines([files / "line.txt", files / "empty.txt"])
    assert 1000 <= sum(map(len, found)) <= 1100
    assert max(map(len, found)) == 100


def test_a_base_is_pretrained_from_two_files(files: Path) -> None:
    said = run("pretrain", "0.txt", "1.txt", "--size", "tiny", "--steps", "2", "--out", "base")
    assert "2 steps" in said
    assert "FLOPs, about" in said
    assert "of them for scoring" in said
    assert "bits per character" in said
    assert (files / "base" / "model.safetensors").is_file()


def test_one_text_is_enough_and_its_end_is_held_out(files: Path) -> None:
    flags = ("--size", "tiny", "--layers", "1", "--width", "32", "--heads", "2", "--context", "16")
    said = run(
        "pretrain", "0.txt", *flags, "--family", "bert", "--objective", "masked-whole-words", "--steps", "2", "--out", "base"
    )
    assert "2 steps" in said
    record = json.loads((files / "base" / "pretraining.json").read_text("utf-8"))
    assert record["objective"] == "masked-whole-words"
    assert record["shape"] == {"layers": 1, "width": 32, "heads": 2, "context": 16, "vocabulary": 2000}
    assert record["files"][0][-1] == record["held_out"][0][-2]  # where the one ends, the other begins
