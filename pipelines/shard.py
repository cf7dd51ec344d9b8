"""Shards: one Parquet file and one WebDataset tar with the same rows, and the image tree of the trainer exports.

A shard is a pure function of its rows: sorted by sample id, no clock, no host, no worker count. Memory: the rows and image bytes
of one shard a worker.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.lake import Lake
from pipelines.pixels import pixel_batches

SHARD_IMAGE_BYTES = 256 << 20
"""Image bytes a shard aims at; buckets are a power of two so that growth splits a shard instead of moving every row."""

ROW_GROUP = 100
"""Rows of a Parquet row group, small enough for the Hub viewer to scan (facts gathered from the Hub's own advice)."""


@dataclass(frozen=True, slots=True)
class ShardJob:
    """Rows (of `samples`, joined with what a row shows) that make one shard, and where under `root` it goes."""

    lake: Lake
    root: str
    name: str
    rows: tuple[Mapping[str, Any], ...]

    @property
    def parquet(self) -> str:
        """Path of the Parquet file below the release."""
        return f"data/{self.name}.parquet"

    @property
    def tar(self) -> str:
        """Path of the WebDataset tar below the release."""
        return f"webdataset/{self.name}.tar"


def image_key(image_id: str) -> str:
    """The name of an image in a release: 24 hex digits of its id's sha256, so that no file name of a source gets out."""
    return hashlib.sha256(image_id.encode()).hexdigest()[:24]


def image_path(image_id: str) -> str:
    """Where the trainer exports keep an image: 256 folders, each under the Hub's limit of 10,000 files."""
    key = image_key(image_id)
    return f"images/{key[:2]}/{key}.jpg"


def bucket_count(total_bytes: int) -> int:
    """Number of buckets for the image bytes of a split: the power of two that keeps a shard near `SHARD_IMAGE_BYTES`."""
    count = 1
    while count * SHARD_IMAGE_BYTES < total_bytes:
        count *= 2
    return count


def bucket_of(image_id: str, buckets: int) -> int:
    """Stable bucket of an image: the leading bits of its key, so that doubling splits every bucket in two."""
    return int(image_key(image_id)[:8], 16) * buckets >> 32


def write_shard(job: ShardJob) -> dict[str, int]:
    """Write both files of a shard; returns rows by path. Runs in a worker."""
    images = dict(_release_images(job.lake, sorted({row["image_id"] for row in job.rows})))
    rows = sorted(job.rows, key=lambda row: row["sample_id"])
    _write_parquet(Path(job.root) / job.parquet, rows, images)
    _write_tar(Path(job.root) / job.tar, rows, images)
    return {job.parquet: len(rows), job.tar: len(rows)}


def write_images(job: ShardJob) -> dict[str, int]:
    """Write the image files of the trainer exports for a job's rows; returns nothing that counts as rows. Runs in a worker."""
    for image_id, data in _release_images(job.lake, sorted({row["image_id"] for row in job.rows})):
        path = Path(job.root) / "trainer" / image_path(image_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return {}


def _release_images(lake: Lake, image_ids: Sequence[str]):  # noqa: ANN202
    from quality.raster import release_jpeg

    for batch in pixel_batches(lake, image_ids):
        for image_id, data in batch.images():
            yield image_id, release_jpeg(data)


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


def features():  # noqa: ANN201
    """The Hub's features of a Parquet row (`datasets.Features`)."""
    from datasets import Features, Image, List, Value

    text = Value("string")
    message = {"role": text, "content": List({"type": text, "text": text})}
    return Features(
        {
            "id": text,
            "image_id": text,
            "images": List(Image()),
            "messages": List(message),
            **dict.fromkeys(("format", "split", "source", "diagnosis"), text),
            "taxon_path": List(text),
            "ground_truth": text,
            "generated": Value("bool"),
            "verified_by": Value("int64"),
            **dict.fromkeys(("teacher", "teacher_revision", "conditioning", "licence", "attribution"), text),
        }
    )


def _write_parquet(path: Path, rows: Sequence[Mapping[str, Any]], images: Mapping[str, bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = features().arrow_schema
    shown = [
        {**public_row(row), "images": [{"bytes": images[row["image_id"]], "path": f"{image_key(row['image_id'])}.jpg"}]}
        for row in rows
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_index=True, use_content_defined_chunking=True) as writer:
        for start in range(0, len(shown), ROW_GROUP):
            writer.write_table(pa.Table.from_pylist(shown[start : start + ROW_GROUP], schema=schema))


def _write_tar(path: Path, rows: Sequence[Mapping[str, Any]], images: Mapping[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for row in rows:
            text = json.dumps(public_row(row), ensure_ascii=False, sort_keys=True)
            for suffix, data in (("jpg", images[row["image_id"]]), ("json", text.encode())):
                info = tarfile.TarInfo(f"{row['sample_id']}.{suffix}")
                info.size, info.mtime, info.mode = len(data), 0, 0o644
                tar.addfile(info, io.BytesIO(data))
