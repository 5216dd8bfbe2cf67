"""Raw text in pieces: nothing lost, and clear refusals."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import pytest

from accordeur.errors import DataError
from accordeur.foundations import corpus
from accordeur.foundations.corpus import Source, beginnings, divided, pieces, sources, texts
from tests.foundations.words import text


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "PIECE", 200)


def test_pieces_of_a_file_join_to_the_file(tmp_path: Path, small_pieces: None) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text(50))
    found = list(pieces([Source(path=path)]))
    assert "".join(piece.text for piece in found) == text(50)
    assert [piece.last for piece in found] == [False] * (len(found) - 1) + [True]
    assert all(piece.text.endswith("\n") for piece in found[:-1])


def test_a_packed_file_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(text(5).encode()))
    assert "".join(texts(sources([path]))) == text(5)


def test_one_endless_line_is_read_in_pieces_that_end_with_a_word(tmp_path: Path, small_pieces: None) -> None:
    path = tmp_path / "line.txt"
    path.write_text("word " * 5000)
    found = list(pieces([Source(path=path)]))
    assert max(len(piece.text) for piece in found) <= 400
    assert "".join(piece.text for piece in found) == "word " * 5000
    assert not any(piece.text[-1:].isspace() and piece.text[-2:-1].isspace() for piece in found)


def test_an_endless_line_without_spaces_is_refused(tmp_path: Path, small_pieces: None) -> None:
    path = tmp_path / "line.txt"
    path.write_text("x" * 5000)
    with pytest.raises(DataError, match="without a line break or a space"):
        list(pieces([Source(path=path)]))


def test_an_endless_row_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "LONGEST_ROW", 100)
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"text": "short"}) + "\n" + json.dumps({"text": "x" * 200}) + "\n")
    with pytest.raises(DataError, match=r"rows\.jsonl:2.*more than 100 characters"):
        list(pieces([Source(path=path)]))


def test_rows_are_documents_of_the_named_columns(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in ({"en": "a", "fr": "b"}, {"en": "c", "fr": "d", "id": 1})) + "\n")
    found = list(pieces([Source(path=path, columns=("en", "fr"))]))
    assert [(piece.text, piece.last) for piece in found] == [("a\nb", True), ("c\nd", True)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.txt", b"", "empty"),
        ("spaces.txt", b" \n\n ", "empty"),
        ("picture.txt", b"abc\0\0def", "binary"),
        ("latin.txt", "été".encode("latin-1"), "not UTF-8"),
        ("cut.txt.gz", gzip.compress(b"hello " * 1000, mtime=0)[:-20], "damaged gzip"),
        ("none.txt.gz", b"plain", "damaged gzip"),
        ("rows.jsonl", b'{"title": "a"}\n', "no text in columns text; found: title"),
        ("rows.jsonl", b"{broken\n", "not valid JSON"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(pieces(sources([path])))


def test_a_gzip_file_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(text(50).encode(), mtime=0)
    (tmp_path / "a.txt.gz").write_bytes(whole + whole[:10] + b"\xff" + whole[11:])  # a block of a type that doesn't exist
    with pytest.raises(zlib.error):
        gzip.decompress((tmp_path / "a.txt.gz").read_bytes())
    with pytest.raises(DataError, match="damaged gzip"):
        list(pieces(sources([tmp_path / "a.txt.gz"])))


def test_one_empty_file_beside_others_is_none_too_many(tmp_path: Path) -> None:
    for number, content in enumerate(["", text(5), " \n"]):
        (tmp_path / f"{number}.txt").write_text(content, "utf-8")
    assert "".join(beginnings(sources([tmp_path]), 3000)).strip() == text(5).strip()
    (tmp_path / "1.txt").write_text("\n")
    with pytest.raises(DataError, match="empty: no text in .*0.txt, .*1.txt"):
        list(beginnings(sources([tmp_path]), 3000))


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file or folder"):
        sources([tmp_path / "none.txt"])
    with pytest.raises(DataError, match="no text file"):
        sources([tmp_path])


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.jsonl"])
def test_a_file_is_divided_into_beginning_and_end(tmp_path: Path, small_pieces: None, name: str) -> None:
    content = "\n".join(json.dumps({"text": line}) for line in text(60).splitlines()) if name.endswith("jsonl") else text(60)
    (tmp_path / name).write_bytes(gzip.compress(content.encode()) if name.endswith("gz") else content.encode())
    source = Source(path=tmp_path / name)
    head, tail = divided(source, 0.2)
    left, right = ("".join(texts([part])) for part in (head, tail))
    assert left + right == "".join(texts([source]))
    assert 0.15 < len(right) / len(left + right) < 0.25
    assert left.endswith(("\n", "."))
    assert list(pieces([head]))[-1].last
    assert list(pieces([tail]))[-1].last


def test_every_file_gives_its_beginning(tmp_path: Path, small_pieces: None) -> None:
    for number, size in enumerate((50, 2000, 5000)):
        (tmp_path / f"{number}.txt").write_text((str(number) * 9 + " ") * (size // 10))
    read = "".join(beginnings(sources([tmp_path]), 3000))
    assert [read.count(digit) for digit in "012"] == [45, 900, 900]


def test_a_text_too_short_to_be_divided_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("word")
    with pytest.raises(DataError, match="too short"):
        divided(Source(path=path), 0.1)
