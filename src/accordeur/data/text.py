"""Rows of a plain text: passages of about 1,500 characters, cut between paragraphs where there are any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from accordeur.data.journal import Journal
from accordeur.data.lines import Line, read_lines
from accordeur.data.row import Row
from accordeur.data.sniff import Format, require_text

TARGET = 1500


def rows(path: Path, format: Format, journal: Journal) -> Iterator[Row]:
    """Yields {"id", "text"} for each passage, in the order of the file; `line` is where the passage starts."""
    require_text(path, format)
    lines = (line for line in read_lines(path, journal, packed=format.packed) if not line.bad)
    for number, (start, passage) in enumerate(passages(lines), start=1):
        yield Row(str(path), start, {"id": f"{path.name}#{number}", "text": passage})


def passages(lines: Iterable[Line]) -> Iterator[tuple[int, str]]:
    """(first line, text) of each passage: at least TARGET characters up to the next blank line, at most about twice that."""
    block: list[str] = []
    size = start = 0
    for line in lines:
        for piece in pieces(line.text):
            blank = not piece.strip()
            if (size >= TARGET and (blank or size + len(piece) > 2 * TARGET)) or (block and len(piece) > TARGET):
                yield start, "\n".join(block).rstrip()
                block, size = [], 0
            if blank and not block:
                continue
            start = start if block else line.number
            block.append(piece)
            size += len(piece) + 1
    if block:
        yield start, "\n".join(block).rstrip()


def pieces(text: str) -> Iterator[str]:
    """A line in pieces of at most twice TARGET characters, cut after a sentence, else after a word."""
    at = 0
    while len(text) - at > 2 * TARGET:
        end = cut(text, at)
        yield text[at:end]
        at = end
    yield text[at:]


def cut(text: str, at: int) -> int:
    """Where a piece that starts at `at` ends."""
    least, most = at + TARGET // 2, at + TARGET
    for mark in (". ", "! ", "? ", " "):
        found = text.rfind(mark, least, most)
        if found >= 0:
            return found + len(mark)
    return most
