"""Keypoints: computed once an image, brought up to date image by image, kept in the lake for every later comparison.

Memory: one batch of images a worker; the driver holds rows of a few batches. About 45 KB an image are stored.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.increment import Increment, bring_images_up_to_date
from pipelines.lake import Lake
from pipelines.pixels import PixelBatch
from quality.keypoints import ALGORITHM, SIDE, SMALL, Features, Keypoints

VERSION = ALGORITHM


def find_keypoints(lake: Lake, source: str) -> Increment:
    """Bring `keypoints` of one source up to date with its images."""
    return bring_images_up_to_date(lake, "keypoints", source, VERSION, keypoint_batch)


def keypoint_batch(batch: PixelBatch) -> list[dict[str, Any]]:
    """Rows of one batch, without source and digest. Runs in a worker."""
    import cv2

    from quality.keypoints import features
    from quality.raster import luminance

    cv2.setNumThreads(1)
    return [_row(image_id, features(luminance(data, SIDE))) for image_id, data in batch.images()]


def _row(image_id: str, found: Features) -> dict[str, Any]:
    return {
        "image_id": image_id,
        "places": found.plain.places.astype("<f4").tobytes(),
        "descriptors": found.plain.descriptors.tobytes(),
        "mirrored_places": found.mirrored.places.astype("<f4").tobytes(),
        "mirrored_descriptors": found.mirrored.descriptors.tobytes(),
        "grey": found.grey.tobytes(),
    }


def stored(rows: pa.Table) -> Iterator[Features]:
    """Features of rows of `keypoints`, in their order."""
    names = ("places", "descriptors", "mirrored_places", "mirrored_descriptors", "grey")
    for values in zip(*(rows.column(name) for name in names), strict=True):
        places, descriptors, turned_places, turned, grey = (value.as_py() for value in values)
        yield Features(_keypoints(places, descriptors), _keypoints(turned_places, turned), _array(grey, (SMALL, SMALL)))


def _keypoints(places: bytes, descriptors: bytes) -> Keypoints:
    return Keypoints(np.frombuffer(places, "<f4").reshape(-1, 4), _array(descriptors, (-1, 32)))


def _array(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(data, np.uint8).reshape(shape)
