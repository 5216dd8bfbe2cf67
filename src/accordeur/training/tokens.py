"""Encoded rows on disk: written once, read back through memory maps, so that their number costs no memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from accordeur.example import Encoded
from accordeur.store import is_sealed, read_json, recover, sealed_folder, write_json
from accordeur.training.even import Even

ABOUT = "about.json"
IDS = np.dtype("<i4")
NUMBERS = np.dtype("<i8")
FLAT = {"tokens": IDS, "targets": IDS, "segments": IDS}  # the ids of all rows, end to end
FIXED = {"token_ends": NUMBERS, "target_ends": NUMBERS, "segment_ends": NUMBERS, "rows": NUMBERS}  # one number a row
VALUES: dict[str, np.dtype[Any]] = {"label": NUMBERS, "score": np.dtype("<f8")}  # targets that are one number: a label or a grade
Array = npt.NDArray[Any]


class Tokens(Sequence[Encoded]):
    """The rows of a folder that `write_tokens` made, as a sequence. A row is a view of the file, made when it is asked for."""

    def __init__(self, folder: Path) -> None:
        about = read_json(folder / ABOUT)
        self.digest: str = about["digest"]  # what `data_digest` gives for these rows
        self.form: str = about["form"]  # ids, label, score or none: what the targets are
        sorts: dict[str, np.dtype[Any]] = {**FLAT, **FIXED, **({"values": VALUES[self.form]} if self.form in VALUES else {})}
        self.parts = {name: mapped(folder / name, sort) for name, sort in sorts.items()}

    def __len__(self) -> int:
        return len(self.parts["rows"])

    @overload
    def __getitem__(self, place: int) -> Encoded: ...

    @overload
    def __getitem__(self, place: slice) -> list[Encoded]: ...

    def __getitem__(self, place: int | slice) -> Encoded | list[Encoded]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        if not -len(self) <= place < len(self):
            raise IndexError(f"row {place} of {len(self)}")
        place %= len(self)
        segments = self.ids("segments", "segment_ends", place)
        return Encoded(
            tokens=self.ids("tokens", "token_ends", place),
            target=self.target(place),
            segments=segments if len(segments) else None,
            row=int(self.parts["rows"][place]),
        )

    def target(self, place: int) -> Any:
        """What is asked of a row."""
        if self.form == "ids":
            return self.ids("targets", "target_ends", place)
        return None if self.form == "none" else self.parts["values"][place].item()

    def ids(self, name: str, ends: str, place: int) -> Array:
        """The ids of one row."""
        return self.parts[name][int(self.parts[ends][place - 1]) if place else 0 : int(self.parts[ends][place])]


def mapped(path: Path, sort: np.dtype[Any]) -> Array:
    """A file as an array that is read when it is looked at; an empty file can't be mapped."""
    return np.asarray(np.memmap(path, sort, mode="r")) if path.stat().st_size else np.zeros(0, sort)


def kept_tokens(place: Path, encode: Callable[[], Iterable[Encoded]]) -> Tokens:
    """The rows kept in a folder; where it is not whole, `encode` makes them and they are written first."""
    recover(place)
    if not is_sealed(place):
        write_tokens(place, encode())
    return Tokens(place)


def write_tokens(place: Path, items: Iterable[Encoded]) -> None:
    """Writes rows one after the other, as they come, into a folder that is whole or not there.

    Raises ValueError where some targets are sequences and others numbers.
    """
    digest, form = hashlib.sha256(), "none"
    with sealed_folder(place) as staging, ExitStack() as open_files:
        files = {name: open_files.enter_context((staging / name).open("wb")) for name in (*FLAT, *FIXED, "values")}
        ends = dict.fromkeys(("token_ends", "target_ends", "segment_ends"), 0)
        for count, item in enumerate(items):
            own = form_of(item)
            if count and own != form:
                raise ValueError(f"row {item.row} asks for {own}, the rows before it for {form}")
            form = own
            flat = {"tokens": item.tokens, "targets": item.target if own == "ids" else (), "segments": item.segments}
            for (name, values), end in zip(flat.items(), ends, strict=True):
                ids = np.asarray(() if values is None else values, IDS)
                files[name].write(ids.tobytes())
                ends[end] += len(ids)
                files[end].write(NUMBERS.type(ends[end]).tobytes())
            files["rows"].write(NUMBERS.type(item.row).tobytes())
            if own in VALUES:
                files["values"].write(np.asarray(item.target, VALUES[own]).tobytes())
            add_to_digest(digest, item)
        open_files.close()
        write_json(staging / ABOUT, {"digest": digest.hexdigest(), "form": form})


def form_of(item: Encoded) -> str:
    """What the target of a row is: ids, a label, a grade, or nothing."""
    if isinstance(item.target, np.ndarray) and item.target.ndim == 1:
        return "ids"
    if item.target is None:
        return "none"
    return "label" if isinstance(item.target, int | np.integer) else "score"


def data_digest(items: Sequence[Encoded]) -> str:
    """SHA-256 over tokens, segments and targets; of kept rows, as it was taken when they were written.

    Rows that are made when asked for say themselves what they follow from.
    """
    if isinstance(items, Tokens | Even):
        return items.digest
    total = hashlib.sha256()
    for item in items:
        add_to_digest(total, item)
    return total.hexdigest()


def add_to_digest(total: Any, item: Encoded) -> None:
    """Adds one row to a digest."""
    for part in (item.tokens, item.segments, item.target):
        array = np.asarray([] if part is None else part)
        total.update(f"{array.dtype.str}{array.shape}".encode())
        total.update(array.tobytes())
