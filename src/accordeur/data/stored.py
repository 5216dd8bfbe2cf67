"""Rows too many to be held: an Arrow file, mapped into memory, whose rows become examples where they are asked for."""

from __future__ import annotations

import functools
import itertools
import json
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from accordeur.data.normal import keys_of
from accordeur.example import Example, flatten
from accordeur.store import explained

Places = npt.NDArray[np.int64]
LARGE_ROWS = 100_000  # more rows than these, or more letters, go to the file
LARGE_LETTERS = 50_000_000
BATCH_ROWS, BATCH_BYTES = 1024, 8 << 20
CELLS = ("id", "given", "expected", "extra", "line", "file")
FOLDER = Path("~/.cache/accordeur/rows").expanduser()


@dataclass(frozen=True, kw_only=True, eq=False)
class Stored(Sequence[Example]):
    """Some rows of an Arrow file, in the order of `places`: a part is an array of places, never a copy.

    `batches`: the file's record batches, mapped; `starts`: the place of the first row of each. `by_line`: rows are named
    by their line, and their id is carried along. Decoding a row gives an example equal to the one that was stored.
    """

    batches: tuple[Any, ...]
    starts: Places
    places: Places
    by_line: bool = False

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, at: int) -> Example: ...
    @overload
    def __getitem__(self, at: slice) -> Stored: ...
    def __getitem__(self, at: int | slice) -> Example | Stored:
        if isinstance(at, slice):
            return replace(self, places=self.places[at])
        place = int(self.places[at])
        batch = bisect_right(self.starts, place) - 1
        inside = place - int(self.starts[batch])
        cells = [self.batches[batch].column(column)[inside].as_py() for column in range(len(CELLS))]
        return self._example(cells)

    def __iter__(self) -> Iterator[Example]:
        for rows in self._columns(tuple(range(len(CELLS)))):
            yield from (self._example(cells) for cells in zip(*rows, strict=True))

    def take(self, places: Places) -> Stored:
        """The rows at some places of this part, in that order."""
        return replace(self, places=self.places[places])

    def expected(self) -> Iterator[Any]:
        """What is expected of each row, without reading the rest of it."""
        for (values,) in self._columns((CELLS.index("expected"),)):
            yield from map(unpacked, values)

    def keys(self, name: str) -> npt.NDArray[np.bytes_]:
        """(rows,): one of the keys of the kind."""
        columns = [batch.column(f"{name}_key") for batch in self.batches]
        return np.concatenate([raw(column, column.type.byte_width) for column in columns])[self.places]

    def _columns(self, columns: tuple[int, ...]) -> Iterator[list[list[Any]]]:
        """The cells of some columns, as many rows at once as stand together in a batch."""
        import pyarrow as pa

        number = np.searchsorted(self.starts, self.places, "right") - 1
        edges = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(number)]
        for start, stop in itertools.pairwise(edges):
            if start < stop:
                batch = self.batches[number[start]]
                inside = pa.array(self.places[start:stop] - self.starts[number[start]])
                yield [batch.column(column).take(inside).to_pylist() for column in columns]

    def _example(self, cells: Sequence[Any]) -> Example:
        name, given, expected, extra, line, file = cells
        found = Example(
            id=name.decode("utf-8", "surrogatepass"),
            given={column: as_tuples(value) for column, value in json.loads(given).items()},
            expected=unpacked(expected),
            extra=json.loads(extra),
            file=file.decode("utf-8", "surrogatepass"),
            line=line,
        )
        return by_line(found) if self.by_line else found


def by_line(example: Example) -> Example:
    """The example under its line, with its id among the columns carried along."""
    extra = example.extra if "id" in example.extra else {"id": example.id, **example.extra}
    return replace(example, id=str(example.line), extra=extra)


def kept(examples: Iterable[Example], kind: str) -> Sequence[Example]:
    """The examples, as a tuple where they are few, else stored. Raises EnvironmentFault where the disk is full."""
    rows = iter(examples)
    held: list[Example] = []
    letters = 0
    for example in rows:
        held.append(example)
        letters += sum(len(flatten(value)) for value in (*example.given.values(), example.expected))
        if len(held) > LARGE_ROWS or letters > LARGE_LETTERS:
            first, held = held, []
            return stored(itertools.chain(released(first), rows), kind)
    return tuple(held)


def released(held: list[Example]) -> Iterator[Example]:
    """The examples in order, each let go once it is passed on."""
    held.reverse()
    while held:
        yield held.pop()


def stored(examples: Iterable[Example], kind: str) -> Stored:
    """Writes examples to a file that is gone when nobody reads it any more, even where the process is killed."""
    import pyarrow as pa

    folder = place_for_rows()
    with explained(folder), tempfile.NamedTemporaryFile(dir=folder, prefix="rows-", suffix=".arrow") as file:
        with pa.ipc.new_file(file, schema(kind)) as writer:
            for batch in batches(examples, kind):
                writer.write_batch(batch)
        file.flush()
        reader = pa.ipc.open_file(pa.memory_map(file.name))
        found = tuple(reader.get_batch(number) for number in range(reader.num_record_batches))
    starts = np.cumsum([0, *(batch.num_rows for batch in found)], dtype=np.int64)
    return Stored(batches=found, starts=starts[:-1], places=np.arange(starts[-1]))


def place_for_rows() -> Path:
    """A folder on a disk (a temporary folder may be memory); the temporary one where there is no other."""
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=FOLDER):
            return FOLDER
    except OSError:
        return Path(tempfile.gettempdir())


@functools.cache
def schema(kind: str) -> Any:
    """The columns of the file: the cells of a row as JSON, where it came from, and its keys."""
    import pyarrow as pa

    cells = [(name, pa.int64() if name == "line" else pa.large_binary()) for name in CELLS]
    return pa.schema([*cells, *((f"{name}_key", pa.binary(key.width)) for name, key in keys_of(kind).items())])


def batches(examples: Iterable[Example], kind: str) -> Iterator[Any]:
    """Record batches of at most BATCH_ROWS rows, or of about BATCH_BYTES where rows are long."""
    rows: list[tuple[Any, ...]] = []
    keys = keys_of(kind).values()
    size = 0
    for example in examples:
        cells = packed(example)
        rows.append((*cells, *(key.of(example) for key in keys)))
        size += sum(len(cell) for cell in cells[:4])
        if len(rows) == BATCH_ROWS or size > BATCH_BYTES:
            yield batch_of(rows, kind)
            rows, size = [], 0
    if rows:
        yield batch_of(rows, kind)


def batch_of(rows: list[tuple[Any, ...]], kind: str) -> Any:
    """One record batch."""
    import pyarrow as pa

    columns = zip(*rows, strict=True)
    arrays = [pa.array(list(column), field.type) for column, field in zip(columns, schema(kind), strict=True)]
    return pa.record_batch(arrays, schema=schema(kind))


def packed(example: Example) -> tuple[bytes, bytes, bytes, bytes, int, bytes]:
    """The cells of a row: its id, what is given, expected and carried along as JSON, its line and its file."""
    given, expected, extra = (as_json(value) for value in (dict(example.given), example.expected, dict(example.extra)))
    return as_bytes(example.id), given, expected, extra, example.line, as_bytes(example.file)


def as_json(value: Any) -> bytes:
    """A value as JSON."""
    return as_bytes(json.dumps(value, ensure_ascii=False))


def as_bytes(text: str) -> bytes:
    """A text as it stands, half characters (of file names) included."""
    return text.encode("utf-8", "surrogatepass")


def unpacked(cell: bytes) -> Any:
    """An expected value as it was."""
    return as_tuples(json.loads(cell))


def as_tuples(value: Any) -> Any:
    """What is given or expected holds tuples where JSON has lists."""
    if isinstance(value, list):
        return tuple(as_tuples(part) for part in value)
    if isinstance(value, dict):
        return {name: as_tuples(part) for name, part in value.items()}
    return value


def raw(column: Any, width: int) -> npt.NDArray[np.bytes_]:
    """A column of fixed width as an array of bytes, without a copy."""
    return np.frombuffer(column.buffers()[1], f"S{width}", count=len(column), offset=column.offset * width)
