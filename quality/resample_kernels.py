"""Pillow's Lanczos reduction and OpenCV's mean over squares of a picture's luminance, to the bit and faster; compiled by numba on first use.

Imported where it is needed. Pillow works in fixed point (22 bits after the point) and rounds to 8 bits between its two passes
(libImaging/Resample.c); hashes that shall equal `imagehash` must do the same.
"""

import math
from functools import lru_cache

import numpy as np
from numba import njit
from PIL import Image

SUPPORT = 3.0
PRECISION = 22


@njit(cache=True, nogil=True)
def luminance(rgb: np.ndarray) -> np.ndarray:
    """(h, w) uint8 of a contiguous (h, w, 3) uint8 raster: Pillow's conversion to "L" (ITU-R 601-2 in 16 bits)."""
    out = np.empty(rgb.shape[:2], np.uint8)
    for y in range(rgb.shape[0]):
        # A flat row and places without a sign: only so does LLVM take 64 pixels apart at once.
        row, grey = rgb[y].reshape(-1), out[y]
        for x in range(np.uint64(grey.size)):
            at = x * np.uint64(3)
            red, green = np.uint32(row[at] * np.uint32(19595)), np.uint32(row[at + np.uint64(1)] * np.uint32(38470))
            blue = np.uint32(row[at + np.uint64(2)] * np.uint32(7471))
            grey[x] = np.uint32(np.uint32(red + green) + np.uint32(blue + np.uint32(0x8000))) >> np.uint32(16)
    return out


@njit(cache=True, nogil=True)
def area(rgb: np.ndarray, factor: int) -> np.ndarray:
    """(h // factor, w // factor) uint8: the mean luminance of squares of a contiguous (h, w, 3) uint8 raster, whose rim is cut off.

    To the bit OpenCV's COLOR_RGB2GRAY (15 bits after the point) and its INTER_AREA by a whole `factor` (2 to 257), in a third of their time.
    """
    out = np.empty((rgb.shape[0] // factor, rgb.shape[1] // factor), np.uint8)
    top, left = (rgb.shape[0] % factor) // 2, (rgb.shape[1] % factor) // 2
    sums, share = np.empty(out.shape[1] * factor, np.uint16), np.float32(1.0) / np.float32(factor * factor)
    for y in range(out.shape[0]):
        sums[:] = 0
        for n in range(factor):
            _add_luminance(rgb[top + y * factor + n].reshape(-1)[3 * left :], sums)
        for x in range(np.uint64(out.shape[1])):
            total = np.int32(0)
            for n in range(np.uint64(factor)):
                total = np.int32(total + np.int32(sums[x * np.uint64(factor) + n]))
            # By two OpenCV halves upwards, otherwise to even.
            out[y, x] = (total + 2) >> 2 if factor == 2 else np.int32(np.rint(np.float32(total) * share))
    return out


@njit(cache=True, nogil=True)
def _add_luminance(row: np.ndarray, sums: np.ndarray) -> None:
    for x in range(np.uint64(sums.size)):
        at = x * np.uint64(3)
        red, green = np.uint32(row[at] * np.uint32(9798)), np.uint32(row[at + np.uint64(1)] * np.uint32(19235))
        blue = np.uint32(row[at + np.uint64(2)] * np.uint32(3735))
        grey = np.uint32(np.uint32(red + green) + np.uint32(blue + np.uint32(0x4000))) >> np.uint32(15)
        sums[x] = np.uint16(sums[x] + np.uint16(grey))


def lanczos(grey: np.ndarray, width: int, height: int) -> np.ndarray:
    """(height, width) uint8 of a contiguous (h, w) uint8 picture: `Image.resize((width, height), LANCZOS)`."""
    if grey.shape[0] > grey.shape[1]:
        # Of upright pictures Pillow sometimes reduces the columns first, by a rule of its own.
        return np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.LANCZOS))
    across = _weighed(_turned(grey), *_windows(grey.shape[1], width))
    return _weighed(_turned(across), *_windows(grey.shape[0], height))


@njit(cache=True, nogil=True)
def _turned(grey: np.ndarray) -> np.ndarray:
    """Rows as columns."""
    out = np.empty((grey.shape[1], grey.shape[0]), np.uint8)
    for y in range(np.uint64(grey.shape[0])):
        row = grey[y]
        for x in range(np.uint64(row.size)):
            out[x, y] = row[x]
    return out


@njit(cache=True, nogil=True)
def _weighed(rows: np.ndarray, first: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """As many rows as there are windows, each the weighed sum of those in its window: pixels of a row side by side are one step."""
    out, total = np.empty((first.size, rows.shape[1]), np.uint8), np.empty(rows.shape[1], np.int32)
    for k in range(first.size):
        total[:] = 1 << (PRECISION - 1)
        for n in range(weights.shape[1]):
            row, weight = rows[first[k] + n], weights[k, n]
            for x in range(np.uint64(total.size)):
                total[x] = np.int32(total[x] + np.int32(np.int32(row[x]) * weight))
        for x in range(np.uint64(total.size)):
            out[k, x] = min(max(total[x] >> np.int32(PRECISION), np.int32(0)), np.int32(255))
    return out


@lru_cache(maxsize=256)
def _windows(size: int, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """Of every pixel wanted: the first pixel it is made of, and fixed-point weights, as many for each (zeros at the end)."""
    scale = size / wanted
    stretch = max(scale, 1.0)
    reach = SUPPORT * stretch
    bounds = []
    for out in range(wanted):
        centre = (out + 0.5) * scale
        bounds.append((max(int(centre - reach + 0.5), 0), min(int(centre + reach + 0.5), size), centre))
    most = max(high - low for low, high, _ in bounds)
    first, weights = np.empty(wanted, np.int64), np.zeros((wanted, most), np.int32)
    for out, (low, high, centre) in enumerate(bounds):
        raw = [_kernel((n + low - centre + 0.5) * (1.0 / stretch)) for n in range(high - low)]
        share = 1.0 / sum(raw)
        # Windows at the right edge start earlier, so that none reads beyond the row.
        first[out] = min(low, size - most)
        for n, value in enumerate(raw):
            weight = value * share * (1 << PRECISION)
            weights[out, n + low - first[out]] = int(weight - 0.5) if weight < 0 else int(weight + 0.5)
    return first, weights


def _kernel(x: float) -> float:
    """The Lanczos window of three lobes."""
    return _sinc(x) * _sinc(x / SUPPORT) if -SUPPORT <= x < SUPPORT else 0.0


def _sinc(x: float) -> float:
    return math.sin(x * math.pi) / (x * math.pi) if x else 1.0
