"""Parquet with an image column (the Hugging Face layout, or plain bytes), read like an archive: a row is a member.

A member's name is its row number. Only the image column of the needed rows is read; the other columns are the set's table.
"""

from collections.abc import Iterator, Sequence
from typing import IO, Any

from sources.archives import MAX_MEMBER_BYTES, Damage, Entry
from sources.record import Reject
from sources.tables import MetadataError, Row, Table

ROWS_AT_ONCE = 16
"""Rows decoded together: a photograph each, so that a column that unpacks to far more than it says is met early."""

ROW = "row"
"""The column that the table of a Parquet file gets: the number of the row, which is the member's name."""


def entries(handle: IO[bytes]) -> Iterator[Entry]:
    """One entry a row. Sizes are not known before reading."""
    try:
        file = _open(handle)
        _image_column(file)
        count = file.metadata.num_rows
    except _broken() as error:
        yield Entry("", 0, fault=("archive_damaged", str(error).split("\n")[0]))
        return
    yield from (Entry(_name(number), 0) for number in range(count))


def _name(number: int) -> str:
    return f"{number:09d}"


def _broken() -> tuple[type[BaseException], ...]:
    import pyarrow as pa

    return (pa.ArrowException, OSError, ValueError, KeyError)


def _open(handle: IO[bytes]) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetFile(handle)


def _image_column(file: Any) -> str:
    """The first column of images: a struct with `bytes`, as `datasets` writes it, otherwise plain binary. Raises ValueError."""
    import pyarrow as pa

    binary = (pa.binary(), pa.large_binary())
    for field in file.schema_arrow:
        if pa.types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0:
            return str(field.name)
    for field in file.schema_arrow:
        if field.type in binary:
            return str(field.name)
    raise ValueError(f"no column of image bytes among {', '.join(file.schema_arrow.names)}")


def read(handle: IO[bytes], names: Sequence[str]) -> Iterator[tuple[str, bytes | Damage]]:
    """Image bytes of the named rows, ascending; rows that cannot be read are damage."""
    wanted = sorted(set(names))
    try:
        yield from _rows(_open(handle), wanted)
    except _broken() as error:
        yield from ((name, Damage("member_damaged", str(error).split("\n")[0])) for name in wanted)


def _rows(file: Any, wanted: list[str]) -> Iterator[tuple[str, bytes | Damage]]:
    """Removes what it yields from `wanted`, so that the rest can still be accounted for when the file breaks."""
    column, first = _image_column(file), 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        numbers = {int(name) for name in wanted if first <= int(name) < first + rows}
        at = first
        for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=[column]) if numbers else ():
            for offset, value in enumerate(batch.column(0)):
                if at + offset in numbers:
                    wanted.remove(_name(at + offset))
                    yield _name(at + offset), _bytes(value.as_py())
            at += batch.num_rows
        first += rows
    if wanted:
        raise ValueError("not in the file any more")


def _bytes(value: Any) -> bytes | Damage:
    data = value.get("bytes") if isinstance(value, dict) else value
    if data is None:
        where = f" (only the path {value.get('path')!r})" if isinstance(value, dict) else ""
        return Damage("member_damaged", f"the row holds no image bytes{where}")
    return data if len(data) <= MAX_MEMBER_BYTES else Damage("member_too_large", f"{len(data):,} bytes")


def table(source: str, name: str, handle: IO[bytes]) -> Table:
    """Every other column as text, with the row number in `ROW`. Raises MetadataError for a file that cannot be read."""
    try:
        file = _open(handle)
        image = _image_column(file)
        labels = _class_labels(file)
        columns = [column for column in file.schema_arrow.names if column != image]
        rows: list[Row] = []
        for batch in file.iter_batches(4096, columns=columns):
            for values in batch.to_pylist() or [{}] * batch.num_rows:
                said = {key: _text(labels.get(key), value) for key, value in values.items()}
                rows.append(Row(len(rows) + 1, {ROW: _name(len(rows)), **said}))
        if not columns:
            rows = [Row(number + 1, {ROW: _name(number)}) for number in range(file.metadata.num_rows)]
    except _broken() as error:
        raise MetadataError(f"{name}: {str(error).splitlines()[0]}") from error
    rejects: list[Reject] = []
    return Table(name, tuple(rows), tuple(rejects))


def _class_labels(file: Any) -> dict[str, list[str]]:
    """Names of `ClassLabel` columns, which `datasets` stores as numbers, from the schema's metadata."""
    import json

    stored = (file.schema_arrow.metadata or {}).get(b"huggingface")
    if not stored:
        return {}
    features = json.loads(stored).get("info", {}).get("features", {})
    return {k: f["names"] for k, f in features.items() if isinstance(f, dict) and f.get("_type") == "ClassLabel"}


def _text(names: list[str] | None, value: Any) -> str:
    if value is None:
        return ""
    if names and isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    if isinstance(value, list):
        return "; ".join(str(item) for item in value)
    return str(value).strip()
