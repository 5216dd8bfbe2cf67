"""What a file really is: a regular file or not, its format by name, and the wrong things that get such names."""

from __future__ import annotations

import gzip
import stat
import zlib
from pathlib import Path
from typing import NamedTuple

from accordeur.data.journal import nearest
from accordeur.errors import DataError

HEAD = 1 << 16
FORMATS = {
    "json": (".jsonl", ".ndjson", ".json"),
    "csv": (".csv", ".tsv", ".tab", ".psv"),
    "parquet": (".parquet", ".pq"),
    "text": (".txt", ".text"),
}
SUPPORTED = ".jsonl, .json, .csv, .tsv, .txt (each also .gz), .parquet, or a folder of .txt files"
PICKLES = (b"ccopy_reg", b"(dp", b"(lp", *(bytes([0x80, version]) for version in range(2, 6)))
MAGIC = (
    (b"\x1f\x8b", "gzip data", "rename it so that it ends in .gz"),
    (b"PAR1", "a Parquet file", "rename it to .parquet"),
    (b"PK\x03\x04", "a zip archive (or a spreadsheet)", "unpack it, or export the sheet as CSV"),
    (b"\x89PNG", "a PNG image", ""),
    (b"\xff\xd8\xff", "a JPEG image", ""),
    (b"%PDF", "a PDF document", "export its text"),
    (b"BZh", "bzip2 data", "unpack it with bunzip2"),
    (b"\xfd7zXZ", "xz data", "unpack it with unxz"),
    (b"\x28\xb5\x2f\xfd", "zstandard data", "unpack it with unzstd"),
    (b"ARROW1", "an Arrow file", "save it as Parquet"),
    (b"SQLite format 3", "an SQLite database", "export a table as CSV"),
    (b"\x7fELF", "a program", ""),
    (b"version https://git-lfs", "a git-lfs pointer, not the data", "run git lfs pull"),
    *((start, "a Python pickle", "pickles are never opened: export the rows as JSON lines") for start in PICKLES),
)
MARKUP = ((b"<!doctype html", "an HTML page"), (b"<html", "an HTML page"), (b"<head", "an HTML page"), (b"<?xml", "an XML file"))
SPECIAL = {
    stat.S_ISFIFO: "a pipe",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
}


class Format(NamedTuple):
    """How a file is read: json, csv, parquet or text, and whether through gzip."""

    name: str
    packed: bool


def require_regular(path: Path) -> None:
    """Refuses at once, before opening it, what isn't a regular file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise missing(path) from None
    except (OSError, ValueError) as fault:
        raise DataError(f"can't be read: {reason(fault)}", where=str(path)) from fault
    if stat.S_ISDIR(mode):
        raise DataError("is a folder; expected a file, or a folder of .txt files", where=str(path), hint=folder_hint(path))
    if not stat.S_ISREG(mode):
        what = next((name for test, name in SPECIAL.items() if test(mode)), "not a regular file")
        raise DataError(f"is {what}; expected a regular file", where=str(path))


def missing(path: Path) -> DataError:
    """The error for a path that leads nowhere, with the nearest name beside it."""
    if path.is_symlink():
        return DataError(f"is a broken link: its target {path.readlink()} doesn't exist", where=str(path))
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    return DataError("no such file" + nearest(path.name, beside), where=str(path))


def folder_hint(path: Path) -> str:
    """Names the data files of a folder, so that one of them can be given."""
    try:
        found = sorted(entry.name for entry in path.iterdir() if suffix_format(entry.name) is not None)
    except OSError:
        found = []
    return f"give one of its files: {', '.join(found[:5])}" if found else "it holds no file that can be read"


def reason(fault: Exception) -> str:
    """The operating system's words for a refusal."""
    return fault.strerror or str(fault) if isinstance(fault, OSError) else str(fault)


def suffix_format(name: str) -> Format | None:
    """The format that a file name promises, or None."""
    packed = name.lower().endswith(".gz")
    stem = name.lower().removesuffix(".gz")
    kind = next((kind for kind, endings in FORMATS.items() if stem.endswith(endings)), None)
    return Format(kind, packed) if kind and not (packed and kind == "parquet") else None


def format_of(path: Path, separator: str | None = None) -> Format:
    """The format of a file by its name; a separator makes a table of any name."""
    found = suffix_format(path.name)
    if separator is not None and (found is None or found.name == "text"):
        return Format("csv", path.name.lower().endswith(".gz"))
    if found is None:
        raise DataError(f"format not known from the name '{path.name}'", where=str(path), hint=f"expected {SUPPORTED}")
    return found


def read_head(path: Path, packed: bool) -> bytes:
    """The first bytes of a file, unpacked; a gzip that can't be unpacked raises DataError."""
    try:
        with path.open("rb") as stream:
            if not packed:
                return stream.read(HEAD)
            if stream.read(2) != b"\x1f\x8b":
                raise DataError("named .gz, but isn't gzip data", where=str(path), hint="rename it without .gz")
        with gzip.open(path) as unpacked:
            return unpacked.read(HEAD)
    except EOFError:
        return b""
    except (OSError, zlib.error) as fault:
        raise DataError(f"can't be read: {reason(fault)}", where=str(path)) from fault


def identify(head: bytes) -> tuple[str, str] | None:
    """(what it is, what to do) for content that is none of the text formats, or None."""
    for magic, name, advice in MAGIC:
        if head.startswith(magic):
            return name, advice
    start = head.lstrip()[:64].lower()
    markup = next((name for tag, name in MARKUP if start.startswith(tag)), None)
    return (markup, "was a login or an error page downloaded instead of the data?") if markup else None


def wide_encoding(head: bytes) -> str | None:
    """The name of a UTF-16 or UTF-32 encoding, by its mark or by where its NUL bytes stand."""
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "UTF-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    sample = head[: len(head) // 2 * 2]
    if len(sample) < 4:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) < 0.4 * len(sample) / 2 or min(even, odd) > 0.1 * max(even, odd):
        return None
    return "UTF-16LE" if odd > even else "UTF-16BE"


def require_text(path: Path, format: Format) -> bytes:
    """The head of a text file; refuses other content by its real name, UTF-16, and lines that end in CR only."""
    head = read_head(path, format.packed)
    found = identify(head)
    if found:
        raise DataError(f"holds {found[0]}; expected {format.name} rows in UTF-8", where=str(path), hint=found[1])
    wide = wide_encoding(head)
    if wide:
        source = f"zcat {path.name} |" if format.packed else ""
        name = "" if format.packed else f" {path.name}"
        command = f"{source} iconv -f {wide} -t UTF-8{name} > utf8-{path.name.removesuffix('.gz')}".strip()
        raise DataError(f"is encoded in {wide}; expected UTF-8", where=str(path), hint=f"convert it: {command}")
    if b"\r" in head[:-1] and b"\n" not in head:
        raise DataError("its lines end in CR only; expected LF or CRLF", where=str(path), hint=r"convert it: tr '\r' '\n'")
    return head
