"""Rows of a table that wait on the disk until all of them are committed at once, in a file without a name: a kill leaves nothing of them."""

import tempfile
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.lake import ROW_GROUP
from pipelines.tables import TABLES


class Spool:
    """Parts of a table, as they come. Memory: one part going in, a row group coming out."""

    def __init__(self, table: str) -> None:
        spec = TABLES[table]
        self.rows = 0
        self._key, self._last, self._ascending = spec.key[0], "", True
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `__exit__`)
        self._writer = pa.ipc.new_stream(self._file, spec.schema)

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: Any) -> None:
        self._writer.close()
        self._file.close()

    def add(self, part: pa.Table) -> None:
        """Rows with the table's columns."""
        if not part.num_rows:
            return
        self.rows += part.num_rows
        ends = pc.min_max(part.column(self._key)).as_py()
        self._ascending = self._ascending and ends["min"] > self._last
        self._last = ends["max"]
        self._writer.write_table(part.combine_chunks())

    def parts(self) -> Iterator[pa.Table]:
        """What `Lake.replace_streaming` takes, by the first column of the table's key; once, after which nothing can be added.

        Where the parts did not come in ascending ranges of that column, one part with all rows.
        """
        self._writer.close()
        self._file.seek(0)
        batches = pa.ipc.open_stream(self._file)
        if not self._ascending:
            yield batches.read_all()
            return
        held: list[pa.RecordBatch] = []
        for batch in batches:
            held.append(batch)
            if sum(part.num_rows for part in held) >= ROW_GROUP:
                yield pa.Table.from_batches(held)
                held = []
        if held:
            yield pa.Table.from_batches(held)
