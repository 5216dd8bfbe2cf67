"""Files that are either whole and verified or invisible: atomic writes, sealed folders, locks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from accordeur.errors import EnvironmentFault, ModelError

MANIFEST = "manifest.json"
STAGING = ".staging-"


def digest(data: bytes) -> str:
    """SHA-256 of some bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file, in hex, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fingerprint(value: Any) -> str:
    """A short, stable name for plain data: the first 16 hex digits of the SHA-256 of its canonical JSON."""
    return digest(canonical(value))[:16]


def fingerprint_rows(rows: Iterable[Any]) -> str:
    """The fingerprint of the list of some rows, none of which is held."""
    state = hashlib.sha256(b"[")
    for number, row in enumerate(rows):
        state.update(b"," * (number > 0) + canonical(row))
    state.update(b"]")
    return state.hexdigest()[:16]


def canonical(value: Any) -> bytes:
    """Plain data as the one JSON text that its fingerprint is made of."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "surrogatepass")


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns the operating system's refusals into an error that names path, need and remedy."""
    try:
        yield
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(nearest_folder(path)).free
            raise EnvironmentFault(
                f"no space left while writing {path} ({free / 1e6:.1f} MB free)",
                hint="free some space, or choose another folder with --out; finished runs are kept",
            ) from fault
        if fault.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST):
            raise EnvironmentFault(f"can't write {path}: {fault.strerror}", hint="choose another folder with --out") from fault
        raise


def nearest_folder(path: Path) -> Path:
    """The closest existing folder at or above a path."""
    return next(folder for folder in [path.absolute(), *path.absolute().parents] if folder.is_dir())


def sync_folder(folder: Path) -> None:
    """Makes a rename inside a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_stream(path: Path, fill: Callable[[BinaryIO], Any]) -> None:
    """Writes a file atomically: `fill` writes a neighbour, then fsync, rename. Readers see the old file or the new one."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        neighbour = path.parent / f"{STAGING}{os.getpid()}-{path.name}"
        try:
            with neighbour.open("wb") as stream:
                fill(stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(neighbour, path)
        finally:
            neighbour.unlink(missing_ok=True)
        sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes bytes as a file, atomically."""
    write_stream(path, lambda stream: stream.write(data))


def write_text(path: Path, text: str) -> None:
    """Writes text as UTF-8, atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Writes plain data as readable JSON, atomically; NaN and Infinity are refused."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Reads JSON; a damaged file is a ModelError that names it."""
    try:
        return json.loads(path.read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise ModelError(f"{path} is damaged: {fault}", hint="delete it and repeat the command") from fault


@contextlib.contextmanager
def sealed_folder(folder: Path, **about: Any) -> Iterator[Path]:
    """Yields a staging folder; on success it is fsynced, sealed by a manifest and renamed to `folder`, replacing it.

    After a crash there is the old folder, the new one, or none: never half of one.
    """
    with explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = folder.parent / f"{STAGING}{folder.name}"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            yield staging
            seal(staging, about)
            retired = folder.parent / f"{STAGING}old-{folder.name}"
            shutil.rmtree(retired, ignore_errors=True)
            if folder.exists():
                os.rename(folder, retired)
            os.rename(staging, folder)
            sync_folder(folder.parent)
            shutil.rmtree(retired, ignore_errors=True)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def seal(folder: Path, about: Mapping[str, Any]) -> None:
    """Writes the manifest: size and SHA-256 of every file below a folder, all fsynced."""
    files: dict[str, dict[str, Any]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST):
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
        files[path.relative_to(folder).as_posix()] = {"bytes": path.stat().st_size, "sha256": digest_file(path)}
    write_json(folder / MANIFEST, {**about, "files": files})


def recover(folder: Path) -> None:
    """Brings back a folder whose replacement was cut between its two renames; leaves no staging behind."""
    retired = folder.parent / f"{STAGING}old-{folder.name}"
    if retired.is_dir() and not folder.exists():
        os.rename(retired, folder)
    shutil.rmtree(retired, ignore_errors=True)
    shutil.rmtree(folder.parent / f"{STAGING}{folder.name}", ignore_errors=True)


def verify(folder: Path) -> dict[str, Any]:
    """The manifest of a sealed folder, after every file was checked against it (ModelError otherwise)."""
    if not (folder / MANIFEST).is_file():
        raise ModelError(f"{folder} holds no {MANIFEST}: it is not a finished run, or it was moved in part")
    manifest: dict[str, Any] = read_json(folder / MANIFEST)
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise ModelError(
                f"{path} is missing, though its manifest lists it", hint="restore the folder, or delete it and run again"
            )
        if path.stat().st_size != expected["bytes"]:
            raise ModelError(
                f"{path} has {path.stat().st_size} bytes where {expected['bytes']} were written",
                hint="delete the run and repeat it",
            )
        if digest_file(path) != expected["sha256"]:
            raise ModelError(f"{path} was changed after it was written (sha256 differs)", hint="delete the run and repeat it")
    return manifest


def is_sealed(folder: Path) -> bool:
    """Whether a folder is whole and unchanged."""
    try:
        verify(folder)
    except ModelError:
        return False
    return True


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder for this process; a second one is refused at once, naming the first."""
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            holder = os.pread(handle, 400, 0).decode("utf-8", "replace").strip() or "another process"
            raise EnvironmentFault(
                f"{folder} is in use by {holder}", hint="wait for it to end, or choose another --out"
            ) from fault
        os.ftruncate(handle, 0)
        started = time.strftime("%Y-%m-%d %H:%M:%S")
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}, started {started}".encode(), 0)
        yield
    finally:
        os.close(handle)
