"""Decoded lines of a plain or gzip'd text file, one at a time, none longer than 8 MB."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from accordeur.data.journal import Journal
from accordeur.data.sniff import reason
from accordeur.errors import DataError

MAX_LINE = 8 << 20
BOMB_BYTES = 64 << 20
BOMB_RATIO = 250
MOST_BLANK = 100_000


class Line(NamedTuple):
    """One line and its end ("\\n", "\\r\\n" or nothing). `bad`: reported already, its text is only a stand-in."""

    number: int
    text: str
    end: str
    bad: bool


class Metered:
    """A stream that refuses to unpack to far more than data would: real rows shrink 3 to 30 times, not 250."""

    def __init__(self, stream: BinaryIO, *, path: Path, packed: bool) -> None:
        self.stream = stream
        self.path = path
        self.stored = path.stat().st_size if packed else None
        self.produced = 0

    def readline(self, limit: int) -> bytes:
        """One line, or its first `limit` bytes."""
        return self._count(self.stream.readline(limit))

    def read(self, limit: int) -> bytes:
        """At most `limit` bytes."""
        return self._count(self.stream.read(limit))

    def _count(self, data: bytes) -> bytes:
        self.produced += len(data)
        if self.stored is not None:
            refuse_bomb(self.path, produced=self.produced, stored=self.stored)
        return data


def refuse_bomb(path: Path, *, produced: int, stored: int) -> None:
    """Raises DataError where `stored` bytes on disk have become far too many in memory."""
    if produced > BOMB_BYTES and produced > BOMB_RATIO * stored:
        message = f"unpacks to more than {BOMB_RATIO} times its size: this looks like a decompression bomb"
        raise DataError(message, where=str(path), hint="if the data is meant, unpack it first")


@contextlib.contextmanager
def opened(path: Path, *, packed: bool) -> Iterator[Metered]:
    """The bytes of a file, unpacked while they are read."""
    with contextlib.ExitStack() as stack:
        raw: BinaryIO = stack.enter_context(path.open("rb"))
        if packed:
            raw = cast(BinaryIO, io.BufferedReader(stack.enter_context(gzip.GzipFile(fileobj=raw))))
        yield Metered(raw, path=path, packed=packed)


def read_lines(path: Path, journal: Journal, *, packed: bool) -> Iterator[Line]:
    """Yields every line, blank and bad ones too; line counting starts at 1.

    Raises DataError where the file or its gzip data can't be read to the end.
    """
    number = blank = 0
    try:
        with opened(path, packed=packed) as stream:
            offset = 0
            while raw := stream.readline(MAX_LINE + 1):
                number += 1
                blank = 0 if len(raw) > 2 else blank + 1
                if blank > MOST_BLANK:
                    raise journal.fatal(str(path), number, f"more than {MOST_BLANK:,} blank lines in a row")
                line = _line(raw, number, offset, path=path, journal=journal)
                yield line if len(raw) <= MAX_LINE or line.end else _overlong(stream, line, path=path, journal=journal)
                offset = stream.produced
    except EOFError:
        raise journal.fatal(str(path), number + 1, "the gzip data ends early: the file is truncated") from None
    except (OSError, zlib.error) as fault:
        raise journal.fatal(str(path), number + 1, f"can't be read: {reason(fault)}") from fault


def _overlong(stream: Metered, line: Line, *, path: Path, journal: Journal) -> Line:
    """Reads past the rest of a line that is too long, without holding it."""
    if not line.bad:
        journal.problem(str(path), line.number, f"the line is longer than {MAX_LINE >> 20} MB")
    ended = False
    while not ended and (rest := stream.readline(MAX_LINE)):
        ended = rest.endswith(b"\n")
    return Line(line.number, "", "\n" * ended, True)


def _line(raw: bytes, number: int, offset: int, *, path: Path, journal: Journal) -> Line:
    """Decodes one line; reports NUL bytes and bytes that aren't UTF-8."""
    end = "\r\n" if raw.endswith(b"\r\n") else "\n" if raw.endswith(b"\n") else ""
    if number == 1 and raw.startswith(codecs.BOM_UTF8):
        journal.note(f"{path.name}: starts with a byte order mark, left out")
        raw, offset = raw[3:], offset + 3
    body = raw[: len(raw) - len(end)]
    cut = not end and len(raw) > MAX_LINE
    complaint = "" if cut else complain(body, offset)
    if complaint:
        journal.problem(str(path), number, complaint)
    return Line(number, body.decode("utf-8", "replace"), end, bool(complaint))


def complain(body: bytes, offset: int) -> str:
    """What is wrong with the bytes of a line, with the place in line and file, or nothing."""
    if b"\0" in body:
        at = body.index(b"\0")
        return f"a NUL byte at byte {at + 1} of the line (byte {offset + at} of the file)"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as fault:
        return not_utf8(body, fault.start, offset)
    return ""


def not_utf8(body: bytes, at: int, offset: int) -> str:
    """Names the byte that isn't UTF-8, where it is, and the encoding that it probably comes from."""
    guess = "cp1252" if decodes(body, "cp1252") else "latin-1"
    seen = body[at : at + 1].decode(guess, "replace")
    place = f"byte 0x{body[at]:02x} at byte {at + 1} of the line (byte {offset + at} of the file)"
    return f"{place} isn't UTF-8; it looks like {guess} ('{seen}'): convert with iconv -f {guess} -t UTF-8"


def decodes(body: bytes, encoding: str) -> bool:
    """Whether some bytes are valid in an encoding."""
    try:
        body.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
