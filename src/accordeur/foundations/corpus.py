"""Raw text read piece by piece, so that a file may be bigger than memory: .txt, .gz and JSON lines."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from accordeur.errors import DataError

PIECE = 2**20  # characters of one piece: large enough for fast tokenizers, small enough for any memory
LONGEST_ROW = 64 * PIECE  # characters of a row of JSON lines
TEXT_ENDINGS = (".txt", ".md", ".jsonl", ".gz")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file of raw text, or a part of it. Of JSON lines, the named columns of a row are a document, joined by line breaks."""

    path: Path
    columns: tuple[str, ...] = ("text",)
    first: int = 0  # characters of its text that are left out at the beginning
    last: int | None = None  # where it ends; None: with the file

    @property
    def is_rows(self) -> bool:
        """Whether the file holds JSON lines."""
        return self.path.name.removesuffix(".gz").endswith(".jsonl")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of one document; `last` where the document ends with it."""

    text: str
    last: bool


def sources(paths: Iterable[Path], columns: tuple[str, ...] = ("text",)) -> list[Source]:
    """The files that are named, and all text files of the folders that are. DataError where there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(inner for inner in path.rglob("*") if inner.is_file() and inner.suffix in TEXT_ENDINGS)
        elif path.is_file():
            found.append(path)
        else:
            raise DataError(f"no file or folder at {path}", hint="expected a .txt, .gz or .jsonl file, or a folder of them")
    if not found:
        raise DataError("no text file found", hint=f"expected files that end in {', '.join(TEXT_ENDINGS)}")
    return [Source(path=path, columns=columns) for path in found]


def pieces(given: Sequence[Source]) -> Iterator[Piece]:
    """The text of all files in order. DataError for a binary file, and where all of them together hold no text."""
    empty = True
    for source in given:
        for piece in pieces_of(source):
            empty = empty and not piece.text.strip()
            yield piece
    if empty:
        raise no_text(given)


def no_text(given: Sequence[Source]) -> DataError:
    """What is raised where no file holds any text."""
    names = ", ".join(str(source.path) for source in given[:3])
    return DataError(f"the corpus is empty: no text in {names}", hint="expected UTF-8 text")


def holds_text(source: Source) -> bool:
    """Whether there is any text in a file, of which no more is read than it takes to see that."""
    return any(piece.text.strip() for piece in pieces_of(source))


def pieces_of(source: Source) -> Iterator[Piece]:
    """The pieces of one file, or of the part of it that is meant."""
    whole = rows(source) if source.is_rows else stretches(source)
    if not source.first and source.last is None:
        yield from whole
        return
    place = 0
    for piece in whole:
        end = place + len(piece.text)
        stop = end if source.last is None else min(end, source.last)
        if stop > max(place, source.first):
            ends = piece.last or stop == source.last
            yield Piece(text=piece.text[max(0, source.first - place) : stop - place], last=ends)
        place = end
        if source.last is not None and place >= source.last:
            return


def without(texts: Sequence[Source], held_out: Sequence[Source]) -> tuple[Source, ...]:
    """The texts but for files that are held out."""
    apart = {source.path.resolve() for source in held_out}
    return tuple(source for source in texts if source.path.resolve() not in apart)


def divided(source: Source, share: float) -> tuple[Source, Source]:
    """A file as its beginning and its end; the end is about that share of it, and begins with a row, a line or else a word.

    DataError where the text is too short to be cut.
    """
    total = sum(len(piece.text) for piece in pieces([source]))
    wanted, place = total * (1 - share), 0
    for piece in pieces_of(source):
        if place + len(piece.text) > wanted:
            cut = place + (0 if source.is_rows else last_beginning(piece.text, int(wanted) - place))
            if cut:
                return replace(source, last=cut), replace(source, first=cut)
            break
        place += len(piece.text)
    raise DataError(f"{source.path} is too short to hold a part of it out", hint="give more text, or a file to score on")


def last_beginning(text: str, end: int) -> int:
    """Where the last line before `end` begins, or where there is none the last word; 0 for none of either."""
    return text.rfind("\n", 0, end) + 1 or text.rfind(" ", 0, end) + 1


def texts(given: Sequence[Source]) -> Iterator[str]:
    """The same without the ends of documents."""
    return (piece.text for piece in pieces(given))


def beginnings(given: Sequence[Source], characters: int) -> Iterator[str]:
    """The text of all files, of each at most an equal share of so many characters: what a tokenizer learns from.

    DataError where all of them together hold no text.
    """
    empty = True
    for source in given:
        left = max(1, characters // len(given))
        for piece in pieces_of(source):
            empty = empty and not piece.text.strip()
            yield piece.text[:left]
            left -= len(piece.text)
            if left <= 0:
                break
    if empty:
        raise no_text(given)


def stretches(source: Source) -> Iterator[Piece]:
    """A text file, one document, in pieces that end where a line or a word does."""
    rest = ""
    with opened(source.path) as stream:
        while True:
            block = read(stream, source.path)
            if not block:
                break
            rest += block
            if len(rest) >= PIECE:
                cut = place_to_cut(rest, source.path)
                yield Piece(text=rest[:cut], last=False)
                rest = rest[cut:]
    yield Piece(text=rest, last=True)


def place_to_cut(text: str, path: Path) -> int:
    """Behind the last line break, else before the last space."""
    line = text.rfind("\n") + 1
    cut = line or text.rfind(" ")
    if cut <= 0:
        raise DataError(
            f"{path} holds {len(text):,} characters without a line break or a space",
            hint="that is no running text; break it into lines, or train on characters from another file",
        )
    return cut


def rows(source: Source) -> Iterator[Piece]:
    """A file of JSON lines, each row a document."""
    with opened(source.path) as stream:
        number = 0
        while True:
            line = read(stream, source.path, line=True)
            if not line:
                return
            number += 1
            if len(line) >= LONGEST_ROW:
                where = f"{source.path}:{number}"
                raise DataError(f"a row of more than {LONGEST_ROW:,} characters", where=where, hint="cut it up")
            if line.strip():
                yield Piece(text=row_text(line, number, source), last=True)


def row_text(line: str, number: int, source: Source) -> str:
    """The named columns of one row, joined by line breaks."""
    where = f"{source.path}:{number}"
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as fault:
        raise DataError(f"not valid JSON: {fault}", where=where) from fault
    values = [row.get(column) for column in source.columns] if isinstance(row, dict) else []
    strings = [value for value in values if isinstance(value, str)]
    if not strings:
        found = ", ".join(row) if isinstance(row, dict) else type(row).__name__
        raise DataError(f"no text in columns {', '.join(source.columns)}; found: {found}", where=where, hint="name the columns")
    return "\n".join(strings)


def opened(path: Path) -> IO[str]:
    """A file as UTF-8, unpacked where it is gzip'd."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def read(stream: IO[str], path: Path, *, line: bool = False) -> str:
    """The next line or block. DataError where it is no UTF-8 text."""
    try:
        text = stream.readline(LONGEST_ROW) if line else stream.read(PIECE)
    except UnicodeDecodeError as fault:
        raise DataError(f"{path} is not UTF-8 text: {fault.reason}", hint="convert it, e.g. iconv -t utf-8") from fault
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise DataError(f"{path} is a damaged gzip file: {fault}") from fault
    if "\0" in text:
        raise DataError(f"{path} is a binary file: it holds zero bytes", hint="expected plain UTF-8 text")
    return text
