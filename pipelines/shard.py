"""Shards: one Parquet file and one WebDataset tar with the same rows, beside the image tree that both take their pictures from.

A shard is a pure function of its rows: sorted by image key, no clock, no host, no worker count. Rows lie in buckets by source and by the
leading bits of their image's key, so that a source comes and goes with files of its own and growth splits one bucket. Row groups end
where an image's key says so: a new row changes the group that it falls into and moves no other. Memory: the text of one bucket and the
images of one row group a worker.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.pixels import PixelBatch

SHARD_IMAGE_BYTES = 256 << 20
"""Image bytes a bucket holds at most, in the sizes of the sources' files; a bucket that outgrows it is split in two."""

MOST_ROWS, MOST_GROUP_BYTES = 100, 64 << 20
"""Bounds of a Parquet row group: the Hub viewer scans at most 300 MB and wants about 100 rows (the Hub's own advice)."""

CUT = 64
"""One image key in so many starts a row group: groups have 50 rows on average, and at most `MOST_ROWS`."""

PICTURE = "images.list.element.bytes"
"""The Parquet leaf that holds JPEG files: stored as they are, which a second compression would only slow down."""

ANSWER = "messages.list.element.content.list.element.text"
"""The leaf that holds the words: nobody filters by it, so that its least and greatest value would only fill the footer."""

UNLIKE = ("id", "image_id", "images.list.element.path", "ground_truth")
"""Other leaves whose values differ from row to row. They and the words are compressed; a dictionary is no use to them.

All other leaves repeat a few values: a dictionary says all, and compressing it takes longer than writing it.
"""

PAGES = {"min_chunk_size": 15 << 20, "max_chunk_size": 16 << 20, "norm_level": 0}
"""Bytes of a content-defined page. Row groups are cut by content already, and most are one page of pictures then.

A page's header among pictures costs a chunk of the Hub's wherever it moves: with pyarrow's pages (256 KiB to 1 MiB) 1 % more images of
270 kB changed 10 % of a Parquet file, with these 4 %. Bytes below the least size are not hashed, which took a third of the writing.
"""


@dataclass(frozen=True, slots=True)
class ShardJob:
    """The rows of one format in one bucket.

    `spool` is an Arrow file with the bucket's rows (`samples`, joined with what a row shows); files go below `root`. Without `images`
    only a Parquet file is written, and it names each image by its checksum.
    """

    root: str
    spool: str
    format: str
    split: str
    bucket: str
    images: bool = True

    @property
    def parquet(self) -> str:
        """Path of the Parquet file below the release."""
        return f"data/{self.format}/{self.split}-{self.bucket}.parquet"

    @property
    def tar(self) -> str:
        """Path of the WebDataset tar below the release."""
        return f"webdataset/{self.format}/{self.split}-{self.bucket}.tar"


@dataclass(frozen=True, slots=True)
class TreeJob:
    """Images of one pack that go into the image tree below `root`."""

    root: str
    batch: PixelBatch


@dataclass(frozen=True, slots=True)
class Written:
    """A file of a release: path below it, size in bytes, checksums in hex, and its rows where it has rows."""

    path: str
    n_bytes: int
    sha256: str
    md5: str = ""
    rows: int | None = None


def image_key(image_id: str) -> str:
    """The name of an image in a release: 24 hex digits of its id's sha256, so that no file name of a source gets out."""
    return hashlib.sha256(image_id.encode()).hexdigest()[:24]


def image_path(image_id: str) -> str:
    """Where the trainer exports keep an image: 256 folders, each under the Hub's limit of 10,000 files."""
    return key_path(image_key(image_id))


def key_path(key: str) -> str:
    """Where the trainer exports keep the image of a key."""
    return f"images/{key[:2]}/{key}.jpg"


def prefixes(sizes: Mapping[str, int]) -> dict[str, str]:
    """The leading bits that name the bucket of each image key, given sizes in bytes. Only a bucket that is too large is split."""
    return dict(_split(sorted(sizes), sizes, ""))


def _split(keys: Sequence[str], sizes: Mapping[str, int], prefix: str) -> Iterator[tuple[str, str]]:
    if len(keys) < 2 or sum(sizes[key] for key in keys) <= SHARD_IMAGE_BYTES:
        yield from ((key, prefix) for key in keys)
        return
    bits = {key: f"{int(key, 16):0{4 * len(key)}b}" for key in keys}
    for bit in "01":
        yield from _split([key for key in keys if bits[key].startswith(prefix + bit)], sizes, prefix + bit)


def write_images(job: TreeJob) -> list[Written]:
    """Write pictures into the image tree, free of metadata. Runs in a worker. Raises BadImage."""
    from quality.raster import release_jpeg

    written = []
    for image_id, data in job.batch.images():
        name, picture = f"trainer/{image_path(image_id)}", release_jpeg(data)
        path = Path(job.root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
        written.append(Written(name, len(picture), hashlib.sha256(picture).hexdigest()))
    return written


def write_shard(job: ShardJob) -> list[Written]:
    """Write the files of a shard from its spooled rows and the image tree. Runs in a worker."""
    rows = spooled(job.spool, job.format)
    if not rows.num_rows:
        return []
    with _Files(job) as files:
        for start, stop in row_groups(rows):
            files.write(rows.slice(start, stop - start).to_pylist())
    names = [job.parquet, job.tar] if job.images else [job.parquet]
    return [_entry(job.root, name, rows.num_rows) for name in names]


def spooled(path: str, format_: str) -> pa.Table:
    """The rows of one format in a bucket, by image key."""
    import pyarrow.compute as pc

    with pa.OSFile(path) as source:
        reader = pa.ipc.open_file(source)
        batches = (pa.Table.from_batches([reader.get_batch(n)]) for n in range(reader.num_record_batches))
        rows = pa.concat_tables(batch.filter(pc.equal(batch.column("format"), format_)) for batch in batches)
    return rows.sort_by([("image_key", "ascending"), ("sample_id", "ascending")]).combine_chunks()


def row_groups(rows: pa.Table) -> Iterator[tuple[int, int]]:
    """First and last row + 1 of each row group of sorted rows. Boundaries hang on keys: they stay where they are when rows come and go."""
    keys, sizes = rows.column("image_key").to_pylist(), rows.column("n_bytes").to_pylist()
    start, held = 0, 0
    for at, (key, size) in enumerate(zip(keys, sizes, strict=True)):
        full = at - start >= MOST_ROWS or held + size > MOST_GROUP_BYTES
        if at > start and (full or int(key[-4:], 16) % CUT == 0):
            yield start, at
            start, held = at, 0
        held += size
    yield start, len(keys)


class _Files:
    """The open files of a shard, filled one row group at a time."""

    def __init__(self, job: ShardJob) -> None:
        self._job, self._root = job, Path(job.root)

    def __enter__(self) -> "_Files":
        job = self._job
        self._parquet = parquet_writer(_made(self._root / job.parquet), job.images)
        self._tar = tarfile.open(_made(self._root / job.tar), "w", format=tarfile.USTAR_FORMAT) if job.images else None
        return self

    def __exit__(self, *_: object) -> None:
        self._parquet.close()
        if self._tar:
            self._tar.close()

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write a row group to each."""
        shown = [public_row(row) for row in rows]
        if self._tar is None:
            sums = [{"image_sha256": row["image_sha256"], "image_bytes": row["n_bytes"]} for row in rows]
            self._parquet.write_table(
                pa.Table.from_pylist([a | b for a, b in zip(shown, sums, strict=True)], self._parquet.schema)
            )
            return
        pictures = [(self._root / "trainer" / key_path(row["image_key"])).read_bytes() for row in rows]
        self._parquet.write_table(parquet_table(shown, pictures))
        add_samples(self._tar, shown, pictures)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def parquet_writer(path: Path, images: bool = True) -> Any:
    """An open Parquet writer as releases use it: one row group a call, page index, content-defined pages, JPEG files uncompressed."""
    import pyarrow.parquet as pq

    how: dict[str, Any] = {"write_page_index": True, "use_content_defined_chunking": PAGES}
    if not images:
        return pq.ParquetWriter(path, schema(images=False), compression="zstd", **how)
    leaves, compressed = _leaves(), (ANSWER, *UNLIKE)
    how |= {
        "compression": {leaf: "zstd" if leaf in compressed else "NONE" for leaf in leaves},
        "use_dictionary": [leaf for leaf in leaves if leaf not in (PICTURE, *compressed)],
        "write_statistics": [leaf for leaf in leaves if leaf not in (PICTURE, ANSWER)],
    }
    return pq.ParquetWriter(path, schema(), **how)


@cache
def _leaves() -> tuple[str, ...]:
    """Paths of the leaf columns of a shard's Parquet schema."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(schema().empty_table(), sink)
    found = pq.ParquetFile(sink).schema
    return tuple(found.column(at).path for at in range(len(found)))


def parquet_table(shown: Sequence[Mapping[str, Any]], pictures: Sequence[bytes]) -> pa.Table:
    """Public rows and their JPEG files as a table of the Hub's features."""
    at = schema().get_field_index("images")
    kind = schema().field(at).type
    text = pa.Table.from_pylist(list(shown), schema=schema().remove(at))
    names = pa.array([f"{row['image_id']}.jpg" for row in shown], pa.string())
    cells = pa.StructArray.from_arrays([_binary(pictures), names], fields=list(kind.value_type))
    images = pa.ListArray.from_arrays(pa.array(range(len(shown) + 1), pa.int32()), cells, type=kind)
    return pa.table([*text.columns[:at], images, *text.columns[at:]], schema=schema())


def _binary(values: Sequence[bytes]) -> pa.Array:
    """A binary array in one copy: Arrow's own builder would grow, and copy megabytes, several times."""
    ends = np.cumsum([0, *map(len, values)], dtype=np.int32)
    return pa.Array.from_buffers(pa.binary(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(values))])


def add_samples(tar: tarfile.TarFile, shown: Sequence[Mapping[str, Any]], pictures: Sequence[bytes]) -> None:
    """Add WebDataset samples: the picture and the JSON of each row, under its id, at time zero."""
    for row, picture in zip(shown, pictures, strict=True):
        text = json.dumps(row, ensure_ascii=False, sort_keys=True).encode()
        for suffix, data in (("jpg", picture), ("json", text)):
            info = tarfile.TarInfo(f"{row['id']}.{suffix}")
            info.size, info.mtime, info.mode = len(data), 0, 0o644
            tar.addfile(info, io.BytesIO(data))


def _entry(root: str, name: str, rows: int) -> Written:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with (Path(root) / name).open("rb") as handle:
        while block := handle.read(1 << 20):
            sha256.update(block)
            md5.update(block)
            size += len(block)
    return Written(name, size, sha256.hexdigest(), md5.hexdigest(), rows)


def public_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a release says about a sample, apart from its image: the columns of Parquet and the JSON of a WebDataset sample."""
    return {
        "id": row["sample_id"],
        "image_id": image_key(row["image_id"]),
        "messages": [_message(turn) for turn in json.loads(row["messages"])],
        "format": row["format"],
        "split": row["split"],
        "source": row["source"],
        "diagnosis": row["diagnosis"],
        "taxon_path": row["taxon_path"],
        "ground_truth": row["ground_truth"],
        "weight": row["weight"],
        "generated": True,
        "teacher": row["teacher"],
        "teacher_revision": row["revision"],
        "conditioning": row["conditioning"],
        "verified_by": row["verified_by"],
        "licence": row["licence_id"],
        "attribution": row["attribution"],
    }


def _message(turn: Mapping[str, str]) -> dict[str, Any]:
    """A turn with its content in parts; the `<image>` mark becomes an image part."""
    text = turn["content"]
    parts: list[dict[str, str | None]] = []
    if text.startswith("<image>"):
        parts.append({"type": "image", "text": None})
        text = text.removeprefix("<image>").lstrip()
    return {"role": turn["role"], "content": [*parts, {"type": "text", "text": text}]}


@cache
def schema(images: bool = True) -> pa.Schema:
    """The Arrow schema of `features`, which works it out anew each time that it is asked."""
    return features(images).arrow_schema


@cache
def features(images: bool = True):  # noqa: ANN201
    """The Hub's features of a Parquet row (`datasets.Features`); without images, the checksum and size of the source's file instead."""
    from datasets import Features, Image, List, Value

    text = Value("string")
    message = {"role": text, "content": List({"type": text, "text": text})}
    picture = {"images": List(Image())} if images else {"image_sha256": text, "image_bytes": Value("int64")}
    return Features(
        {
            "id": text,
            "image_id": text,
            **picture,
            "messages": List(message),
            **dict.fromkeys(("format", "split", "source", "diagnosis"), text),
            "taxon_path": List(text),
            "ground_truth": text,
            "weight": Value("float64"),
            "generated": Value("bool"),
            "verified_by": Value("int64"),
            **dict.fromkeys(("teacher", "teacher_revision", "conditioning", "licence", "attribution"), text),
        }
    )
