"""Evidence: what a classical segmentation measures in each image, brought up to date image by image.

Memory: one batch of images a worker; the driver holds rows of a few batches.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict

import pyarrow as pa

from pipelines.increment import Increment, bring_up_to_date
from pipelines.lake import Lake
from pipelines.pixels import PixelBatch, pixel_batches
from pipelines.tables import TABLES
from pipelines.workers import map_in_order
from prompts.schemas import digest

VERSION = "1"
"""Raise when measuring changes: all evidence is then measured again."""


def measure(lake: Lake, source: str) -> Increment:
    """Bring `evidence` of one source up to date with its images."""
    images = lake.read("images", source=source, columns=["image_id", "sha256"]).to_pydict()
    wanted = {i: digest([VERSION, sha]) for i, sha in zip(images["image_id"], images["sha256"], strict=True)}

    def compute(missing: list[str]) -> Iterator[pa.Table]:
        for rows in map_in_order(measure_batch, pixel_batches(lake, missing, source=source)):
            for row in rows:
                row |= {"source": source, "input_digest": wanted[str(row["image_id"])]}
            yield pa.Table.from_pylist(rows, schema=TABLES["evidence"].schema)

    return bring_up_to_date(lake, "evidence", source, wanted, compute)


def measure_batch(batch: PixelBatch) -> list[dict[str, object]]:
    """Rows of one batch, without source and digest. Runs in a worker."""
    return [_row(image_id, data) for image_id, data in batch.images()]


def _row(image_id: str, data: bytes) -> dict[str, object]:
    from quality import evidence, raster

    measured = evidence.measure(raster.decode(data).rgb)
    return {
        "image_id": image_id,
        "measured": measured.measured,
        "why_not": measured.why_not or None,
        "findings": list(evidence.findings(measured)),
        "evidence": json.dumps(asdict(measured), sort_keys=True, allow_nan=False),
    }
