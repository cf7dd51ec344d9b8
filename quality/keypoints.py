"""Keypoints of a picture, computed once: what finds and proves copies that were cropped, turned, mirrored, framed or drawn over.

ORB on the luminance squeezed to a square, so that copies of another aspect ratio fit too. The strongest corners of every cell of a
grid are kept: strongest alone, a few hairs would take them all. A mirrored picture has other descriptors, so both are computed.
"""

from dataclasses import dataclass

import numpy as np

ALGORITHM = "orb-256-grid-8x8/3"
SIDE, SMALL = 256, 128
"""Pixels of the square in which keypoints are sought, and of the luminance kept for the comparison of tones."""

CELLS, A_CELL, SOUGHT = 8, 8, 4000
"""Cells a side, keypoints kept in a cell, and corners that are looked for."""


BLACK, WHITE = 24, 243
"""Grey levels of a row or column that is frame, at most or at least: compression leaves some. Smooth skin is neither."""


@dataclass(frozen=True, slots=True)
class Keypoints:
    """`places` (n, 4) float32: x, y (0 to 256), angle (degrees), octave; `descriptors` (n, 32) uint8. The best of every cell come first."""

    places: np.ndarray
    descriptors: np.ndarray


@dataclass(frozen=True, slots=True)
class Features:
    """Keypoints of a picture and of its mirror image, and its luminance, (128, 128) uint8."""

    plain: Keypoints
    mirrored: Keypoints
    grey: np.ndarray


def features(grey: np.ndarray) -> Features:
    """Of an (h, w) uint8 luminance or (h, w, 3) raster of any size."""
    import cv2

    if grey.ndim == 3:
        grey = cv2.cvtColor(np.ascontiguousarray(grey), cv2.COLOR_RGB2GRAY)
    grey = _unframed(grey)
    larger = min(grey.shape) < SIDE
    square = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC if larger else cv2.INTER_AREA)
    small = cv2.resize(square, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
    return Features(_keypoints(square), _keypoints(np.ascontiguousarray(square[:, ::-1])), small)


def _unframed(grey: np.ndarray) -> np.ndarray:
    """Without black or white rows and columns at its edges: a frame is no part of a photograph, and one on two of them looks like a copy."""
    flat = [(grey.max(axis=axis) <= BLACK) | (grey.min(axis=axis) >= WHITE) for axis in (1, 0)]
    kept = []
    for lines in flat:
        inside = np.flatnonzero(~lines)
        if not len(inside) or len(inside) < 0.4 * len(lines):
            return grey
        kept.append(slice(inside[0], inside[-1] + 1))
    return np.ascontiguousarray(grey[kept[0], kept[1]])


def _keypoints(square: np.ndarray) -> Keypoints:
    import cv2

    orb = cv2.ORB_create(SOUGHT, scaleFactor=1.2, nlevels=6, edgeThreshold=12, patchSize=31, fastThreshold=3)  # type: ignore[attr-defined]
    kept = _spread(orb.detect(square, None))
    found, descriptors = orb.compute(square, kept)
    if not found:
        return Keypoints(np.empty((0, 4), np.float32), np.empty((0, 32), np.uint8))
    places = np.array([(*k.pt, k.angle, k.octave) for k in found], np.float32)
    return Keypoints(places, descriptors)


def _spread(found: list) -> list:
    """The strongest of every cell, all cells' first ones first; equal strength is ordered by place."""
    taken: dict[tuple[int, int], int] = {}
    ranked = []
    for k in sorted(found, key=lambda k: (-k.response, k.pt, k.octave)):
        cell = (int(k.pt[0] * CELLS / SIDE), int(k.pt[1] * CELLS / SIDE))
        rank = taken.get(cell, 0)
        if rank < A_CELL:
            taken[cell] = rank + 1
            ranked.append((rank, len(ranked), k))
    return [k for _, _, k in sorted(ranked, key=lambda item: item[:2])]
