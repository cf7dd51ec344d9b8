"""The lake: Delta tables and immutable image packs under one fsspec URL.

Every write is one Delta commit, so a reader sees a partition before or after it, never half of it. A write whose rows equal
what is there already makes no commit. Packs are Parquet files named by their content; a pack is written once and never changed.
"""

import hashlib
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, TableNotFoundError

from pipelines.packs import NewPack
from pipelines.tables import TABLES

ROW_GROUP = 4096
"""Rows of a table's row group: what a look-up of a few rows reads."""

COMPACT_BYTES = 16 << 20
"""Size from which a file is not merged again: with a larger one a growing table would be written over and over."""

MADE_MEANWHILE = "changed since last commit"
"""What deltalake says to a writer beside whom another one made the table; nothing was written then."""

CREATORS = 16
"""Writers that may make one table at the same moment: each try loses to one of them."""


class OldLake(Exception):
    """A lake whose tables have other columns; the message names the table, the columns and what to do."""


@dataclass(frozen=True, slots=True)
class Lake:
    """A lake at `url` (local path, `s3://…`, any fsspec URL). `options` are fsspec storage options, default from the environment."""

    url: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def table_url(self, table: str) -> str:
        """Where a table's Delta log and Parquet files are. Raises KeyError for a table that `pipelines.tables` does not define."""
        _ = TABLES[table]
        return f"{self._root}/tables/{table}"

    @property
    def _root(self) -> str:
        return self.url.rstrip("/") if "://" in self.url else os.path.abspath(self.url)

    def _delta(self, table: str) -> DeltaTable | None:
        try:
            delta = DeltaTable(self.table_url(table), storage_options=_delta_options())
        except TableNotFoundError:
            return None
        has, wanted = {f.name for f in delta.schema().fields}, set(TABLES[table].schema.names)
        if has != wanted:
            differ = ", ".join(sorted(has ^ wanted))
            raise OldLake(
                f"{self.url}: table {table} was written by another version (columns {differ}); set DERMOFORGE_LAKE to a new one"
            )
        return delta

    def dataset(self, table: str) -> Any:
        """The table as a pyarrow dataset (an empty table when nothing was written yet), for DuckDB and lazy readers."""
        delta = self._delta(table)
        return TABLES[table].schema.empty_table() if delta is None else _dataset(delta, self.table_url(table))

    def read(
        self,
        table: str,
        *,
        source: str | None = None,
        columns: Sequence[str] | None = None,
        among: tuple[str, pa.Array] | None = None,
        between: tuple[str, str, str] | None = None,
    ) -> pa.Table:
        """Rows of a table, sorted by key: of one source, with a column's value among some, with another's between two.

        Memory: what is asked for. A range of a column by which the rows lie sorted is found without reading the others.
        """
        spec, delta = TABLES[table], self._delta(table)
        wanted = list(columns) if columns is not None else spec.schema.names
        if delta is None:
            return spec.schema.empty_table().select(wanted)
        load = list(dict.fromkeys([*wanted, *spec.key]))
        conditions = [] if source is None else [pc.field("source") == source]
        conditions += [pc.field(among[0]).isin(among[1])] if among else []
        conditions += [pc.field(between[0]) >= between[1], pc.field(between[0]) <= between[2]] if between else []
        wanted_rows = reduce(and_, conditions) if conditions else None
        rows = _dataset(delta, self.table_url(table)).to_table(columns=load, filter=wanted_rows)
        return _canonical(rows, spec.key).select(wanted).cast(pa.schema([spec.schema.field(name) for name in wanted]))

    def first(self, table: str, count: int, columns: Sequence[str], *, source: str | None = None) -> list[dict[str, Any]]:
        """The first rows of a table (of one source) in the order of its files. Memory: one row group of the columns."""
        condition = None if source is None else pc.field("source") == source
        found = next(self._row_groups(table, columns, condition), None)
        return [] if found is None else found.slice(0, count).to_pylist()

    def scan(self, table: str, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Rows of a table in the order of its files, a row group at a time. Memory: one row group."""
        yield from self._row_groups(table, columns, None)

    def batches(self, table: str, *, source: str) -> Iterator[pa.Table]:
        """Rows of one source in the order of its files, a row group at a time. Memory: one row group."""
        schema = TABLES[table].schema
        for found in self._row_groups(table, schema.names, pc.field("source") == source):
            yield found.cast(schema)

    def _row_groups(self, table: str, columns: Sequence[str], condition: pc.Expression | None) -> Iterator[pa.Table]:
        """Not `to_batches` of the whole, which reads far ahead whatever `batch_readahead` says."""
        delta = self._delta(table)
        if delta is None:
            return
        rows = _dataset(delta, self.table_url(table))
        for file in rows.get_fragments(condition):
            for group in file.split_by_row_group():
                found = group.to_table(schema=rows.schema, columns=list(columns), filter=condition, use_threads=False)
                if found.num_rows:
                    yield found

    def replace(self, table: str, rows: pa.Table, *, source: str | None = None) -> bool:
        """Make `rows` the whole table (or the whole partition of `source`) in one commit; False if it was so already."""
        spec = TABLES[table]
        rows = _canonical(rows.select(spec.schema.names).cast(spec.schema), spec.key)
        if self._delta(table) is not None and self.read(table, source=source).equals(rows):
            return False
        self._write(table, rows, mode="overwrite", predicate=None if source is None else f"source = '{source}'")
        return True

    def replace_streaming(self, table: str, parts: Iterable[pa.Table], *, source: str, by: str) -> bool:
        """Make `parts` the whole partition of `source` in one commit; False if it was so already.

        Each part holds all rows of a range of the column `by`, and the ranges ascend. Memory: one part; the others wait on the disk.
        """
        spec, same, rows = TABLES[table], True, 0
        with tempfile.TemporaryFile() as spool, pa.ipc.new_stream(spool, spec.schema) as writer:
            for part in parts:
                part = _canonical(part.select(spec.schema.names).cast(spec.schema), spec.key)
                rows += part.num_rows
                writer.write_table(part)
                if same and part.num_rows:
                    ends = pc.min_max(part.column(by)).as_py()
                    same = self.read(table, source=source, between=(by, ends["min"], ends["max"])).equals(part)
            if same and rows == self.read(table, source=source, columns=[by]).num_rows and self._delta(table) is not None:
                return False
            writer.close()
            spool.seek(0)
            self._write(table, pa.ipc.open_stream(spool), mode="overwrite", predicate=f"source = '{source}'")
        return True

    def append(self, table: str, rows: pa.Table) -> None:
        """Add rows in one commit, beside other writers. The caller guarantees that their keys are new."""
        rows = rows.select(TABLES[table].schema.names).cast(TABLES[table].schema)
        for attempt in range(CREATORS if rows.num_rows else 0):
            try:
                self._write(table, rows, mode="append", predicate=None)
                return
            except CommitFailedError as error:
                if MADE_MEANWHILE not in str(error) or attempt == CREATORS - 1:
                    raise

    def _write(self, table: str, rows: pa.Table | pa.RecordBatchReader, *, mode: Any, predicate: str | None) -> None:
        spec = TABLES[table]
        if self._delta(table) is None:
            mode, predicate = "append", None
        write_deltalake(
            self.table_url(table),
            rows,
            mode=mode,
            predicate=predicate,
            partition_by=["source"] if spec.partitioned else None,
            storage_options=_delta_options(),
            writer_properties=_properties(),
        )

    def compact(self, table: str) -> None:
        """Merge the small files that appends leave, once each; readers keep the version they opened.

        One process at a time: two that merge the same files would both add their rows (deltalake 1.6.6). Who finds another at it leaves it
        to that one; appends go on beside it.
        """
        with self.alone(f"compact-{table}") as mine:
            delta = self._delta(table) if mine else None
            if delta is not None:
                delta.optimize.compact(target_size=COMPACT_BYTES, max_concurrent_tasks=1, writer_properties=_properties())

    @contextmanager
    def alone(self, what: str) -> Iterator[bool]:
        """Whether this process is the only one at something, for as long as the context lasts. Dies with the process.

        A lake in an object store has no locks: there it is always true, and Dagster's queue has to keep runs apart.
        """
        from filelock import FileLock, Timeout

        fs, root = self.filesystem()
        if "file" not in fs.protocol:
            yield True
            return
        fs.makedirs(f"{root}/locks", exist_ok=True)
        lock = FileLock(f"{root}/locks/{what}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def version(self, table: str) -> int | None:
        """The table's Delta version (time travel), None before the first write."""
        delta = self._delta(table)
        return None if delta is None else delta.version()

    def files(self, table: str, source: str | None = None) -> list[str]:
        """Names of the data files of a table as it stands, of one source where it is cut by source. A name is never given twice."""
        delta = self._delta(table)
        inside = f"/source={source}/" if source is not None and TABLES[table].partitioned else "/"
        return [] if delta is None else sorted(uri.rpartition("/")[2] for uri in delta.file_uris() if inside in uri)

    def moment(self, table: str) -> list[Any]:
        """What `only_added_since` asks for: which table this is, and its version; of none, nothing."""
        delta = self._delta(table)
        return [] if delta is None else [delta.metadata().id, delta.version()]

    def only_added_since(self, table: str, moment: Sequence[Any]) -> bool:
        """Whether all rows of an earlier `moment` of a table are still there: since then it was appended to and compacted, nothing else."""
        delta = self._delta(table)
        if delta is None or not moment or delta.metadata().id != moment[0]:
            return delta is None and not moment
        commits = delta.version() - moment[1]
        later = delta.history(limit=commits) if commits else []
        appended = [commit["operationParameters"].get("mode") == "Append" for commit in later if commit["operation"] == "WRITE"]
        return len(later) == commits and all(appended) and {commit["operation"] for commit in later} <= {"WRITE", "OPTIMIZE"}

    def filesystem(self) -> tuple[fsspec.AbstractFileSystem, str]:
        """The fsspec filesystem and the lake's root path on it."""
        return fsspec.url_to_fs(self._root, **self.options)

    def new_pack(self, source: str) -> NewPack:
        """A pack to add images to, one after the other."""
        return NewPack(*self.filesystem(), source)

    def write_pack(self, source: str, images: Iterable[tuple[str, bytes]]) -> str:
        """Store `(image_id, bytes)` rows, at least one, as a pack; returns its path below the lake."""
        with self.new_pack(source) as pack:
            for image_id, data in images:
                pack.add(image_id, data, hashlib.sha256(data).hexdigest())
        assert pack.name
        return pack.name

    def settle(self, packs: Iterable[str]) -> None:
        """Wait until packs are on the disk: called once before the commit that refers to them, so that writing goes on beside decoding."""
        fs, root = self.filesystem()
        for pack in sorted(set(packs)) if "file" in fs.protocol else ():
            with open(f"{root}/{pack}", "rb") as handle:
                os.fsync(handle.fileno())

    def read_pack(self, pack: str, rows: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """`(row, bytes)` of a pack in ascending order; reads only the row groups needed, one at a time."""
        wanted = sorted(set(rows))
        fs, root = self.filesystem()
        with fs.open(f"{root}/{pack}", "rb") as handle:
            file = pq.ParquetFile(handle)
            start = 0
            for group in range(file.num_row_groups):
                stop = start + file.metadata.row_group(group).num_rows
                inside = [row for row in wanted if start <= row < stop]
                if inside:
                    column = file.read_row_group(group, columns=["bytes"]).column("bytes")
                    yield from ((row, column[row - start].as_py()) for row in inside)
                start = stop

    def collect_packs(self) -> list[str]:
        """Delete packs that no row of `images` refers to now, and return them. Only while nothing writes: an ingest stores packs first.

        Older versions of the table that time travel still reaches may lose their bytes.
        """
        fs, root = self.filesystem()
        used = set(self.read("images", columns=["pack"]).column("pack").to_pylist())
        found = [str(path).removeprefix(root).lstrip("/") for path in fs.glob(f"{root}/packs/*/*")]
        gone = sorted(set(found) - used)
        for pack in gone:
            fs.rm(f"{root}/{pack}")
        return gone


def _dataset(delta: DeltaTable, url: str) -> Any:
    """A table at `url` through Arrow's own filesystem where it has one.

    Deltalake's is written in Python, and Arrow's threads let go of it after a read has returned: a process that ends at that moment
    aborts (SIGABRT, one in ten on two busy cores). Stores other than S3 keep that fault.
    """
    from pyarrow.fs import FileSystem, LocalFileSystem, S3FileSystem, SubTreeFileSystem

    scheme, _, path = url.rpartition("://")
    own: FileSystem | None = None
    if scheme in ("", "file"):
        own = LocalFileSystem()
    elif scheme in ("s3", "s3a"):
        own = S3FileSystem(endpoint_override=os.environ.get("AWS_ENDPOINT_URL") or None)
    return delta.to_pyarrow_dataset(filesystem=own and SubTreeFileSystem(path, own))


def put_atomically(fs: fsspec.AbstractFileSystem, path: str, data: bytes) -> None:
    """Write a whole file so that no reader sees a part: rename on a local disk, a single PUT on an object store."""
    if "file" not in fs.protocol:
        fs.pipe_file(path, data)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}.partial"
    with open(temporary, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)


def digest_rows(rows: pa.Table) -> str:
    """sha256 hex of a table's values in their order: the data version of an asset. Row order and chunking of the file do not count."""
    sink = hashlib.sha256(str(rows.schema.remove_metadata()).encode())
    for batch in _flat(rows).to_batches(max_chunksize=4096):
        out = io.BytesIO()
        with pa.ipc.new_stream(out, batch.schema) as writer:
            writer.write_batch(batch)
        sink.update(out.getvalue())
    return sink.hexdigest()


def _flat(rows: pa.Table) -> pa.Table:
    """A copy with freshly laid-out buffers, so that equal values have equal bytes."""
    return rows.replace_schema_metadata(None).take(pa.array(range(rows.num_rows), pa.int64())).combine_chunks()


def _canonical(rows: pa.Table, key: tuple[str, ...]) -> pa.Table:
    return rows.sort_by([(name, "ascending") for name in key]).combine_chunks()


def _properties() -> WriterProperties:
    return WriterProperties(compression="ZSTD", max_row_group_size=ROW_GROUP)


def _delta_options() -> dict[str, str]:
    """Object-store options from the environment: only what plain AWS variables do not already say."""
    options = {}
    if os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://"):
        options["AWS_ALLOW_HTTP"] = "true"
    return options
