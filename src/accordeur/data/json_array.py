"""Rows of one JSON array, read piece by piece: the whole array is never held."""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from accordeur.data.journal import Journal
from accordeur.data.json_value import DECODER, BadJson, explain, kind_of, require_clean, require_shallow
from accordeur.data.lines import MAX_LINE, Metered, not_utf8, opened
from accordeur.data.row import Row
from accordeur.data.sniff import reason

CHUNK = 1 << 16
SPACE = re.compile(r"[ \t\r\n]*")


class Window:
    """The part of the text that is being parsed; it grows only while one element needs it."""

    def __init__(self, stream: Metered) -> None:
        self.stream = stream
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.text = ""
        self.at = 0
        self.line = 1
        self.over = False

    def more(self) -> bool:
        """Reads on, dropping what is parsed; False at the end of the file."""
        data = self.stream.read(max(CHUNK, len(self.text) - self.at))
        try:
            fresh = self.decoder.decode(data, final=not data)
        except UnicodeDecodeError as fault:
            self.line += self.text.count("\n", self.at) + fault.object[: fault.start].count(b"\n")
            raise BadJson(not_utf8(fault.object, fault.start, self.stream.produced - len(fault.object))) from None
        self.text = self.text[self.at :] + fresh
        self.at = 0
        self.over = not data
        return bool(data)

    def advance(self, end: int) -> None:
        """Moves on to a position and counts the lines passed."""
        self.line += self.text.count("\n", self.at, end)
        self.at = end

    def mark(self) -> str:
        """The next character that isn't space; empty at the end of the file."""
        while True:
            found = SPACE.match(self.text, self.at)
            self.advance(found.end() if found else self.at)
            if self.at < len(self.text):
                return self.text[self.at]
            if self.over or (not self.more() and not self.text):
                return ""

    def value(self) -> Any:
        """The element that starts here. Raises BadJson."""
        while True:
            try:
                value, end = DECODER.raw_decode(self.text, self.at)
                break
            except json.JSONDecodeError as fault:
                found = explain(fault, len(self.text))
                if not found.torn or self.over:
                    raise found from None
            except RecursionError:
                require_shallow(self.text[self.at :])
                raise BadJson("nested too deep") from None
            if len(self.text) - self.at > MAX_LINE:
                raise BadJson(f"the element is longer than {MAX_LINE >> 20} MB, or its text never ends")
            self.more()
        source = self.text[self.at : end]
        require_shallow(source)
        require_clean(source, value)
        self.advance(end)
        return value


def rows(path: Path, journal: Journal, *, packed: bool) -> Iterator[Row]:
    """Yields the objects of an array with the line where each starts; the first fault of syntax ends the reading."""
    with opened(path, packed=packed) as stream:
        window = Window(stream)
        try:
            yield from _elements(window, path, journal)
        except BadJson as fault:
            torn = "the file ends mid-record: " if fault.torn and window.over else ""
            raise journal.fatal(str(path), window.line, f"{torn}{fault}") from None
        except EOFError:
            raise journal.fatal(str(path), window.line, "the gzip data ends early: the file is truncated") from None
        except (OSError, zlib.error) as fault:
            raise journal.fatal(str(path), window.line, f"can't be read: {reason(fault)}") from fault


def _elements(window: Window, path: Path, journal: Journal) -> Iterator[Row]:
    _expect(window, "[")
    if window.mark() == "]":
        window.advance(window.at + 1)
    else:
        yield from _filled(window, path, journal)
    if window.mark():
        raise BadJson("something follows the array: a file is one array, or one object a line")


def _filled(window: Window, path: Path, journal: Journal) -> Iterator[Row]:
    while True:
        window.mark()
        line = window.line
        value = window.value()
        if isinstance(value, dict):
            yield Row(str(path), line, value)
        else:
            journal.problem(str(path), line, f"the element is {kind_of(value)}; expected an object with named values")
        if _expect(window, ",]") == "]":
            return


def _expect(window: Window, marks: str) -> str:
    """Takes one of some marks, or raises BadJson."""
    found = window.mark()
    if not found:
        raise BadJson("the array isn't closed", torn=True)
    if found not in marks:
        raise BadJson(f"expected {' or '.join(marks)} in the array, found {found!r}")
    window.advance(window.at + 1)
    return found
