"""How light falls on what is seen, and how fine its relief is: numbers of a grid of cells and of a small luminance, compiled by numba on first use.

Imported where they are needed. The scale is the picture itself, so that a file of a thousand pixels and its thumbnail have the same numbers.
"""

import numpy as np
from numba import njit

from quality.image_kernels import SURROUND
from quality.layout_kernels import CELLS, moments, planes

RINGS = 5
_PLACES = (np.arange(CELLS) - (CELLS - 1) / 2) / ((CELLS - 1) / 2)
RING_OF = np.minimum(np.hypot(_PLACES[:, None], _PLACES) / 0.3, RINGS - 1).astype(np.int64)
"""(16, 16): the ring of each cell, from the middle outwards; each is .3 of the way to an edge wide."""


@njit(cache=True, nogil=True)
def light_and_hues(cells: np.ndarray) -> np.ndarray:
    """(26,) numbers of (16, 16, 3) mean colours.

    Correlations of light and red, light and blue, red and blue; five rings' light, red and blue less the whole picture's, from the middle
    outwards; the slope of light across and down; 5th, 50th and 95th percentile of red less green, and of green less blue.
    """
    maps, out = planes(cells), np.empty(26)
    out[0], out[1] = correlation(maps[0], maps[1], maps[3]), correlation(maps[0], maps[2], maps[3])
    out[2] = correlation(maps[1], maps[2], maps[3])
    for n in range(3):
        out[3 + n : 18 : 3] = rings(maps[n], maps[3])
    out[18], out[19] = slopes(maps[0])
    out[20:23], out[23:26] = spans(cells, maps[3], 0), spans(cells, maps[3], 1)
    return out


@njit(cache=True, nogil=True)
def correlation(a: np.ndarray, b: np.ndarray, lit: np.ndarray) -> float:
    """Of two planes over the lit cells; near 0 where one of them is even."""
    (first, spread), (second, other), total, count = moments(a, lit), moments(b, lit), 0.0, 0.0
    for y in range(CELLS):
        for x in range(CELLS):
            total += (a[y, x] - first) * (b[y, x] - second) * lit[y, x]
            count += lit[y, x]
    return total / max(count, 1.0) / (spread * other + 1e-4)


@njit(cache=True, nogil=True)
def rings(values: np.ndarray, lit: np.ndarray) -> np.ndarray:
    """(5,): mean of each ring of cells around the middle, less the mean of the lit cells."""
    sums, counts = np.zeros(RINGS), np.zeros(RINGS)
    for y in range(CELLS):
        for x in range(CELLS):
            sums[RING_OF[y, x]] += values[y, x]
            counts[RING_OF[y, x]] += 1
    return sums / counts - moments(values, lit)[0]


@njit(cache=True, nogil=True)
def slopes(light: np.ndarray) -> tuple[float, float]:
    """How steeply light rises across and down: the least squares of a plane, in levels from the middle to an edge."""
    half, across, down, square = (CELLS - 1) / 2, 0.0, 0.0, 0.0
    for y in range(CELLS):
        for x in range(CELLS):
            v, u = (y - half) / half, (x - half) / half
            across, down, square = across + u * light[y, x], down + v * light[y, x], square + u * u
    return abs(across) / square, abs(down) / square


@njit(cache=True, nogil=True)
def spans(cells: np.ndarray, lit: np.ndarray, channel: int) -> np.ndarray:
    """(3,): 5th, 50th and 95th percentile, over the lit cells (or all), of a channel less the next one, over the largest."""
    values, count = np.empty(CELLS * CELLS), 0
    everywhere = lit.sum() == 0
    for y in range(CELLS):
        for x in range(CELLS):
            if lit[y, x] or everywhere:
                values[count] = (cells[y, x, channel] - cells[y, x, channel + 1]) / (cells[y, x].max() + 1)
                count += 1
    ordered, out = np.sort(values[:count]), np.empty(3)
    for n, share in enumerate((0.05, 0.5, 0.95)):
        out[n] = ordered[round(share * (count - 1))]
    return out


@njit(cache=True, nogil=True)
def steps(grey: np.ndarray) -> np.ndarray:
    """(5,): mean difference of lit pixels at 1, over 255, then at 2, 4, 8 and 16 over that at half the distance."""
    out, before = np.zeros(5), 0.0
    for n in range(5):
        mean = difference(grey, 1 << n)
        out[n] = mean if n == 0 else mean / (before + 0.004)
        before = mean
    return out


@njit(cache=True, nogil=True)
def difference(grey: np.ndarray, step: int) -> float:
    """Mean absolute difference, over 255, of lit pixels and those `step` further in the row and in the column."""
    (height, width), sums = grey.shape, np.zeros(2, np.int64)
    for y in range(height):
        if step < width:
            _apart(grey[y, : width - step], grey[y, step:], sums)
        if y + step < height:
            _apart(grey[y], grey[y + step], sums)
    return sums[0] / max(sums[1], 1) / 255


@njit(cache=True, nogil=True)
def _apart(here: np.ndarray, there: np.ndarray, sums: np.ndarray) -> None:
    """Adds the differences of two rows where the first is lit, and how many those are."""
    total, count = np.int32(0), np.int32(0)
    for x in range(here.shape[0]):
        lit = here[x] >= SURROUND
        apart = np.int32(max(here[x], there[x])) - np.int32(min(here[x], there[x]))
        total, count = np.int32(total + (apart if lit else 0)), np.int32(count + lit)
    sums[0] += total
    sums[1] += count


@njit(cache=True, nogil=True)
def curvature(grey: np.ndarray) -> np.ndarray:
    """(4,) of the Laplacian of lit pixels: log mean size, skewness, log kurtosis, mean size over deviation.

    Dark dots and hairs make it lean to one side, highlights and scales to the other; flat skin with few edges makes it peaked.
    """
    (height, width), count, sums = grey.shape, 0, np.zeros(5)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            here = np.int32(grey[y, x])
            if here >= SURROUND:
                value = np.int32(grey[y, x - 1]) + grey[y, x + 1] + grey[y - 1, x] + grey[y + 1, x] - 4 * here
                square = float(value * value)
                count += 1
                sums[0], sums[1], sums[2] = sums[0] + abs(value), sums[1] + value, sums[2] + square
                sums[3], sums[4] = sums[3] + square * value, sums[4] + square * square
    size, mean, second, third, fourth = sums / max(count, 1)
    spread = np.sqrt(max(second - mean * mean, 0.0)) + 0.5
    leaning = third - 3 * mean * second + 2 * mean**3
    peaked = fourth - 4 * mean * third + 6 * mean * mean * second - 3 * mean**4
    return np.array([np.log(size + 0.5), leaning / spread**3, np.log(peaked / spread**4 + 1), size / spread])
