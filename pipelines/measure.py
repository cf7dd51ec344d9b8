"""Evidence: what a classical segmentation measures in each image, brought up to date image by image.

Memory: one batch of images a worker; the driver holds rows of a few batches.
"""

import json
from dataclasses import asdict
from typing import Any

from pipelines.increment import Increment, bring_images_up_to_date
from pipelines.lake import Lake
from pipelines.pixels import PixelBatch

VERSION = "2"
"""Raise when measuring changes: all evidence is then measured again."""


def measure(lake: Lake, source: str) -> Increment:
    """Bring `evidence` of one source up to date with its images."""
    return bring_images_up_to_date(lake, "evidence", source, VERSION, measure_batch)


def measure_batch(batch: PixelBatch) -> list[dict[str, Any]]:
    """Rows of one batch, without source and digest. Runs in a worker."""
    return [_row(image_id, data) for image_id, data in batch.images()]


def _row(image_id: str, data: bytes) -> dict[str, Any]:
    from quality import evidence, raster

    measured = evidence.measure(raster.decode(data).rgb)
    return {
        "image_id": image_id,
        "measured": measured.measured,
        "why_not": measured.why_not or None,
        "findings": list(evidence.findings(measured)),
        "traces": list(measured.traces),
        "evidence": json.dumps(asdict(measured), sort_keys=True, allow_nan=False),
    }
