"""Rows of a JSON file: one object a line, or one array of objects, told apart by the first character."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from accordeur.data import json_array
from accordeur.data.journal import Journal
from accordeur.data.json_value import BadJson, kind_of, parse
from accordeur.data.lines import Line, read_lines
from accordeur.data.row import Row, same_columns
from accordeur.data.sniff import Format, require_text

SPACE = " \t\r\n"


def rows(path: Path, format: Format, journal: Journal) -> Iterator[Row]:
    """Yields the good rows and reports the others. Every row must have the keys of the first one."""
    head = require_text(path, format).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"["):
        journal.note(f"{path.name}: one JSON array, read as one row an element")
        found = json_array.rows(path, journal, packed=format.packed)
    else:
        found = line_rows(path, format, journal)
    first: Row | None = None
    for row in found:
        first = first or row
        if same_columns(row, first, journal):
            yield row


def line_rows(path: Path, format: Format, journal: Journal) -> Iterator[Row]:
    """One object a line; blank lines are passed over."""
    for line in read_lines(path, journal, packed=format.packed):
        if line.bad or not line.text.strip(SPACE):
            continue
        row = line_row(line, path, journal)
        if row is not None:
            yield row


def line_row(line: Line, path: Path, journal: Journal) -> Row | None:
    """The row of one line, or None once its fault is reported."""
    try:
        value = parse(line.text)
    except BadJson as fault:
        journal.problem(str(path), line.number, fault_of(line, fault))
        return None
    if isinstance(value, dict):
        return Row(str(path), line.number, value)
    journal.problem(str(path), line.number, f"the line is {kind_of(value)}; expected an object with named values")
    return None


def fault_of(line: Line, fault: BadJson) -> str:
    """What is wrong with a line, with the likely cause where one is plain."""
    if "\r" in line.text.strip(SPACE):
        return "its lines end in CR only; expected LF or CRLF (convert: tr '\\r' '\\n')"
    if fault.torn and not line.end:
        return f"the file ends mid-record: {fault}"
    if fault.torn:
        return f"the object isn't closed on this line ({fault}): each object must stand on one line, or all in one array"
    return str(fault)
