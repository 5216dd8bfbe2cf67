"""Rows of a Parquet file whose columns are texts, numbers, true/false, and lists or structs of these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from accordeur.data.journal import Journal, shown
from accordeur.data.json_value import BadJson, require_clean
from accordeur.data.lines import MAX_LINE, refuse_bomb
from accordeur.data.row import Row
from accordeur.data.sniff import identify, read_head

BATCH = 1024
AT_ONCE = 32 << 20


def rows(path: Path, journal: Journal) -> Iterator[Row]:
    """Yields the rows in order; `line` is the row number. Raises DataError for what can't be read or kept as it is."""
    import pyarrow as pa

    head = read_head(path, packed=False)
    if head and not head.startswith(b"PAR1"):
        found = identify(head)
        raise journal.fatal(str(path), 0, f"holds {found[0] if found else 'other content'}; expected a Parquet file")
    if not head:
        return
    number = 0
    try:
        for batch in _batches(path, journal):
            for values in _values(batch):
                number += 1
                yield from _row(values, number, path, journal)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as fault:
        first = str(fault).splitlines()[0][:200] if str(fault) else type(fault).__name__
        raise journal.fatal(str(path), number + 1, f"the Parquet file is damaged or cut short: {first}") from fault


def _batches(path: Path, journal: Journal) -> Iterator[Any]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, page_checksum_verification=True) as plain:
        schema = plain.schema_arrow
        _check_schema(schema, path, journal)
        declared = sum(plain.metadata.row_group(at).total_byte_size for at in range(plain.metadata.num_row_groups))
        stored = path.stat().st_size
        refuse_bomb(path, produced=declared, stored=stored)
    texts = [field.name for field in schema if _is_text(field.type)]
    decoded = 0
    with pq.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True) as file:
        for batch in file.iter_batches(batch_size=BATCH):
            decoded += batch.num_rows * _row_bytes(batch)
            refuse_bomb(path, produced=decoded, stored=stored)
            yield batch


def _check_schema(schema: Any, path: Path, journal: Journal) -> None:
    """Refuses columns of one name and columns of a type that can't be kept exactly."""
    twice = [name for name in schema.names if schema.names.count(name) > 1]
    if twice:
        raise journal.fatal(str(path), 0, f"has two columns named {shown(map(repr, twice))}", "name each column once")
    for field in schema:
        if not _clear(field.type):
            expected = "expected text, numbers, true/false, or lists of these"
            journal.fault(str(path), 0, f"column '{field.name}' is {field.type}; {expected}")
    if journal.faults:
        hint = "cast them to text, or drop them, before saving"
        raise journal.fatal(str(path), 0, "has columns that can't be kept as they are", hint)


def _clear(kind: Any) -> bool:
    """Whether values of a type have one plain meaning in Python."""
    import pyarrow.types as types

    if types.is_dictionary(kind):
        return _is_text(kind.value_type)
    if types.is_list(kind) or types.is_large_list(kind):
        return _clear(kind.value_type)
    if types.is_struct(kind):
        return all(_clear(kind.field(at).type) for at in range(kind.num_fields))
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    return bool(number or _is_text(kind) or types.is_null(kind))


def _is_text(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def _row_bytes(batch: Any) -> int:
    """About the size of the largest row of a batch once it is Python values, in bytes."""
    return sum(_cell_bytes(column) for column in batch.columns)


def _cell_bytes(column: Any) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary
    if _is_text(column.type) and len(column):
        return int(pc.max(pc.binary_length(column)).as_py() or 0)
    return int(column.nbytes // max(1, len(column))) + 8


def _values(batch: Any) -> Iterator[dict[str, Any]]:
    """The rows of a batch as plain values, few at a time where they are large."""
    step = max(1, min(BATCH, AT_ONCE // max(1, _row_bytes(batch))))
    for start in range(0, batch.num_rows, step):
        yield from batch.slice(start, step).to_pylist()


def _row(values: dict[str, Any], number: int, path: Path, journal: Journal) -> Iterator[Row]:
    """The row, unless a text is too long or holds what no text may hold."""
    long = [name for name, value in values.items() if isinstance(value, str) and len(value) > MAX_LINE]
    if long:
        journal.problem(str(path), number, f"'{long[0]}' is longer than {MAX_LINE >> 20} MB")
        return
    try:
        require_clean(r"\u0000", values)
    except BadJson as fault:
        journal.problem(str(path), number, str(fault))
        return
    yield Row(str(path), number, values)
