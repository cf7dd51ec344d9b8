"""One pack in the making: an immutable Parquet file of `image_id, bytes`, named by its content.

Memory: one row group. What is stored leaves memory at once, so that the next pictures are read into memory that is still warm.
"""

import hashlib
import os
from collections.abc import Sequence
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PACK_ROW_GROUP = 16
"""Rows of a pack's row group: what a read of one image has to fetch. A few megabytes; with 256 rows the teacher's pictures, asked for in
eights, cost thirty times their bytes."""

PACK_FORMAT = "3"
"""Part of a pack's name: raise when the same rows would be written as another file."""

SCHEMA = pa.schema([("image_id", pa.string()), ("bytes", pa.large_binary())])


class NewPack:
    """A pack of `source` below `root`, seen under its name when its context has ended, and not at all after an exception.

    `name` is its path below the lake, None while it has no rows. The same rows give the same name and file.
    """

    def __init__(self, fs: fsspec.AbstractFileSystem, root: str, source: str) -> None:
        self.rows = 0
        self._fs, self._root, self._source = fs, root, source
        self._known = hashlib.sha256(f"{PACK_FORMAT}\0".encode())
        self._waiting: list[tuple[str, bytes]] = []
        self._out: Any = None
        self._writer: pq.ParquetWriter | None = None

    @property
    def name(self) -> str | None:
        """`packs/SOURCE/DIGEST.parquet`."""
        return f"packs/{self._source}/{self._known.hexdigest()[:32]}.parquet" if self.rows else None

    def add(self, image_id: str, data: bytes, sha256: str) -> int:
        """Store an image with the sha256 (hex) of its bytes; returns its row."""
        self._known.update(f"{image_id}\0{sha256}\0".encode())
        self._waiting.append((image_id, data))
        if len(self._waiting) == PACK_ROW_GROUP:
            self._write()
        self.rows += 1
        return self.rows - 1

    def __enter__(self) -> "NewPack":
        return self

    def __exit__(self, failed: Any, *_: object) -> None:
        if self._waiting and not failed:
            self._write()
        if self._writer is None:
            return
        self._writer.close()
        path = f"{self._root}/{self.name}"
        wanted = not failed and not self._fs.exists(path)
        if not isinstance(self._out, str):
            if wanted:
                self._fs.pipe_file(path, self._out.getvalue().to_pybytes())
        elif wanted:
            os.replace(self._out, path)
        else:
            os.unlink(self._out)

    def _write(self) -> None:
        if self._writer is None:
            self._open()
        assert self._writer
        names, data = zip(*self._waiting, strict=True)
        columns = [pa.array(names, pa.string()), _one_after_the_other(data)]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), row_group_size=PACK_ROW_GROUP)
        self._waiting.clear()

    def _open(self) -> None:
        """On a local disk straight into a file, which `Lake.settle` waits for: a pack is a hundred megabytes."""
        self._out = pa.BufferOutputStream()
        if "file" in self._fs.protocol:
            folder = f"{self._root}/packs/{self._source}"
            os.makedirs(folder, exist_ok=True)
            self._out = f"{folder}/{os.getpid()}.{id(self)}.partial"
        self._writer = pq.ParquetWriter(self._out, SCHEMA, compression="NONE", use_dictionary=False, write_statistics=False)


def _one_after_the_other(data: Sequence[bytes]) -> pa.Array:
    """An Arrow array of them, copied once: `pa.array` would grow its buffer as it goes."""
    ends = np.cumsum([0, *map(len, data)])
    return pa.Array.from_buffers(pa.large_binary(), len(data), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(data))])
