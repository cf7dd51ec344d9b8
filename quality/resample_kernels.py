"""Pillow's Lanczos reduction of a grey picture, to the bit, at a third of its time; compiled by numba on first use.

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
    """(h, w) uint8 of an (h, w, 3) uint8 raster: Pillow's conversion to "L" (ITU-R 601-2 in 16 bits)."""
    out = np.empty(rgb.shape[:2], np.uint8)
    for y in range(rgb.shape[0]):
        row, grey = rgb[y], out[y]
        for x in range(grey.size):
            # Every step in 32 bits: numba would widen it to 64, and half as many fit into a register.
            red, green = np.uint32(row[x, 0] * np.uint32(19595)), np.uint32(row[x, 1] * np.uint32(38470))
            blue = np.uint32(row[x, 2] * np.uint32(7471))
            grey[x] = np.uint32(np.uint32(red + green) + np.uint32(blue + np.uint32(0x8000))) >> np.uint32(16)
    return out


def lanczos(grey: np.ndarray, width: int, height: int) -> np.ndarray:
    """(height, width) uint8 of an (h, w) uint8 picture: `Image.resize((width, height), LANCZOS)`."""
    if grey.shape[0] > grey.shape[1]:
        # Of upright pictures Pillow sometimes reduces the columns first, by a rule of its own.
        return np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.LANCZOS))
    across = _along_rows(grey, *_windows(grey.shape[1], width))
    return _along_rows(np.ascontiguousarray(across.T), *_windows(grey.shape[0], height)).T


@njit(cache=True, nogil=True)
def _along_rows(grey: np.ndarray, first: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Each row reduced to as many pixels as there are windows."""
    out = np.empty((grey.shape[0], first.size), np.uint8)
    for y in range(grey.shape[0]):
        for x in range(first.size):
            window, weight = grey[y, first[x] : first[x] + weights.shape[1]], weights[x]
            total = np.int32(1 << (PRECISION - 1))
            for n in range(weight.size):
                total = np.int32(total + np.int32(np.int32(window[n]) * weight[n]))
            out[y, x] = min(max(total >> PRECISION, 0), 255)
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
