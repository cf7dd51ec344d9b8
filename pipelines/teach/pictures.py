"""Pictures for a model, prepared ahead of the engine in workers of their own: read from packs, upright, in sRGB, shrunk to a limit.

The same for every engine, so that what a model saw does not depend on how it was reached. Memory: one batch of decoded pictures a task.
"""

import math
import os
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.lake import Lake
from pipelines.pixels import PixelBatch
from pipelines.teach.requests import Request

BLANK_GREY = 128
JPEG_QUALITY = 95

LEAST_URGENT = 19
"""The highest niceness: what can wait."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is shown for one question: RGB of shape (height, width, 3), JPEG bytes, nothing, or why it could not be decoded."""

    rgb: np.ndarray | None = None
    jpeg: bytes | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class PictureJob:
    """Pictures to prepare: for each question its image id and what is shown; where the images are; the largest size; the form."""

    shown: tuple[tuple[str, str], ...]
    batches: tuple[PixelBatch, ...]
    max_pixels: int
    encoded: bool


class Packs:
    """Where the images of a lake are, read once. Memory: about 100 bytes an image."""

    def __init__(self, lake: Lake) -> None:
        """Reads nothing before the first job."""
        self._lake = lake
        self._images: pa.Table | None = None

    def job(self, requests: Sequence[Request], max_pixels: int, *, encoded: bool) -> PictureJob:
        """The job that prepares what these questions show, in their order."""
        ids = sorted({request.image_id for request in requests if request.picture != "none"})
        shown = tuple((request.image_id, request.picture) for request in requests)
        return PictureJob(shown, tuple(self._batches(ids)), max_pixels, encoded)

    def _batches(self, ids: Sequence[str]) -> list[PixelBatch]:
        places: dict[str, list[tuple[int, str]]] = {}
        for image_id in ids:
            pack, row = self._place(image_id)
            places.setdefault(pack, []).append((row, image_id))
        return [PixelBatch(self._lake, pack, tuple(sorted(rows))) for pack, rows in sorted(places.items())]

    def _place(self, image_id: str) -> tuple[str, int]:
        if self._images is None:
            self._images = self._lake.read("images", columns=["image_id", "pack", "pack_row"])
        images: pa.Table = self._images
        ids = images.column("image_id")
        row = bisect_left(range(len(ids)), image_id, key=lambda n: ids[n].as_py())
        if row == len(ids) or ids[row].as_py() != image_id:
            raise KeyError(image_id)
        return images.column("pack")[row].as_py(), images.column("pack_row")[row].as_py()


def prepare_aside(job: PictureJob) -> list[Picture]:
    """`prepare` in a worker process of its own kind, which from then on takes only the time that an engine beside it leaves."""
    os.nice(LEAST_URGENT)
    return prepare(job)


def prepare(job: PictureJob) -> list[Picture]:
    """A picture for each question, in order. Never raises on an image: what cannot be decoded says why."""
    data = {image_id: found for batch in job.batches for image_id, found in batch.images()}
    made: dict[tuple[str, str], Picture] = {}
    for image_id, picture in job.shown:
        if (image_id, picture) not in made:
            made[image_id, picture] = Picture() if picture == "none" else _picture(data[image_id], picture, job)
    return [made[key] for key in job.shown]


def _picture(data: bytes, picture: str, job: PictureJob) -> Picture:
    from quality.raster import BadImage, decode

    try:
        rgb = decode(data).rgb
    except BadImage as error:
        return Picture(fault=str(error))
    rgb = shrunk(np.full_like(rgb, BLANK_GREY) if picture == "blank" else rgb, job.max_pixels)
    return Picture(jpeg=encoded(rgb)) if job.encoded else Picture(rgb=rgb)


def shrunk(rgb: np.ndarray, max_pixels: int) -> np.ndarray:
    """The picture with at most `max_pixels` pixels and its aspect kept; untouched when it has no more."""
    import cv2

    height, width = rgb.shape[:2]
    if height * width <= max_pixels:
        return rgb
    scale = math.sqrt(max_pixels / (height * width))
    size = (max(1, math.floor(width * scale)), max(1, math.floor(height * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def encoded(rgb: np.ndarray) -> bytes:
    """JPEG bytes of an RGB picture, hardly lossy."""
    import simplejpeg

    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), quality=JPEG_QUALITY, colorsubsampling="444"))


def image_size(picture: Picture) -> tuple[int, int] | None:
    """(height, width) of what is shown, None when nothing is."""
    if picture.rgb is not None:
        return picture.rgb.shape[0], picture.rgb.shape[1]
    if picture.jpeg is not None:
        import simplejpeg

        height, width, *_ = simplejpeg.decode_jpeg_header(picture.jpeg)
        return int(height), int(width)
    return None


def tokens_of(processor: Any, size: tuple[int, int]) -> int | None:
    """Image tokens that a Hugging Face processor must produce for a (height, width); None for a processor that cannot tell."""
    count = getattr(processor, "_get_num_multimodal_tokens", None)
    if count is None:
        return None
    return int(count(image_sizes=[list(size)])["num_image_tokens"][0])
