"""Kinds of copies, drawn from a photograph: what people and pipelines do to pictures before they publish them again."""

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

Picture = np.ndarray
"""(h, w, 3) uint8."""


def jpeg(picture: Picture, quality: int) -> Picture:
    """Through a JPEG of a quality."""
    out = BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=quality)
    return np.asarray(Image.open(out))


def crop(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """A window anywhere that lacks a share of each side."""
    height, width = picture.shape[:2]
    high, wide = round(height * (1 - share)), round(width * (1 - share))
    top, left = rng.integers(0, height - high + 1), rng.integers(0, width - wide + 1)
    return np.ascontiguousarray(picture[top : top + high, left : left + wide])


def turned(picture: Picture, degrees: float) -> Picture:
    """About its middle, black corners."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_CUBIC)


def colour_constant(picture: Picture) -> Picture:
    """Shades of grey (Minkowski norm 6): what many training pipelines do to dermoscopy."""
    values = picture.astype(float)
    light = (values**6).mean((0, 1)) ** (1 / 6)
    return np.clip(values / (light / np.linalg.norm(light) * np.sqrt(3)), 0, 255).astype(np.uint8)


def with_hairs(picture: Picture, rng: np.random.Generator) -> Picture:
    """Twelve dark curved hairs across the picture."""
    out = picture.copy()
    height, width = out.shape[:2]
    t = np.linspace(0, 1, 40)[:, None]
    for _ in range(12):
        a, b, c, d = rng.uniform(0, 1, (4, 2)) * [width, height]
        curve = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t * t * c + t**3 * d
        cv2.polylines(out, [curve.astype(np.int32)], False, (30, 20, 15), max(1, width // 200), cv2.LINE_AA)
    return out


def with_ruler(picture: Picture) -> Picture:
    """A white ruler with ticks along the lower edge."""
    out = picture.copy()
    height, width = out.shape[:2]
    strip = height // 10
    out[height - strip :] = 235
    out[height - strip : height - strip // 2, :: max(3, width // 40)] = 20
    return out


def framed(picture: Picture) -> Picture:
    """A black frame of an eighth of each side."""
    height, width = picture.shape[:2]
    return cv2.copyMakeBorder(picture, height // 8, height // 8, width // 8, width // 8, cv2.BORDER_CONSTANT)


def brighter(picture: Picture) -> Picture:
    """More contrast and light, with clipping."""
    return np.clip(picture * 1.25 + 12, 0, 255).astype(np.uint8)


TRANSFORMS: dict[str, Callable[[Picture, np.random.Generator], Picture]] = {
    "JPEG quality 90": lambda p, _: jpeg(p, 90),
    "JPEG quality 50": lambda p, _: jpeg(p, 50),
    "JPEG quality 20": lambda p, _: jpeg(p, 20),
    "half size": lambda p, _: cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "crop 5 %": lambda p, rng: crop(p, 0.05, rng),
    "crop 10 %": lambda p, rng: crop(p, 0.10, rng),
    "crop 20 %": lambda p, rng: crop(p, 0.20, rng),
    "turned 5 degrees": lambda p, _: turned(p, 5),
    "turned 90 degrees": lambda p, _: np.ascontiguousarray(np.rot90(p)),
    "turned 180 degrees": lambda p, _: np.ascontiguousarray(np.rot90(p, 2)),
    "mirrored": lambda p, _: np.ascontiguousarray(p[:, ::-1]),
    "upside down": lambda p, _: np.ascontiguousarray(p[::-1]),
    "brighter": lambda p, _: brighter(p),
    "colour constancy": lambda p, _: colour_constant(p),
    "hairs": with_hairs,
    "ruler": lambda p, _: with_ruler(p),
    "black frame": lambda p, _: framed(p),
}
"""Each kind by its name; the generator places crops and hairs."""
