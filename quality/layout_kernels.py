"""How light and hues lie in a picture: numbers of a grid of cells, compiled by numba on first use. Imported where they are needed.

The scale is the picture itself, 16 cells a side: a file of a thousand pixels and its thumbnail have the same layout.
"""

from typing import Any

import numpy as np
from numba import njit

from quality.image_kernels import SURROUND

CELLS = 16


@njit(cache=True, nogil=True)
def cell_means(rgb: np.ndarray) -> np.ndarray:
    """(16, 16, 3) mean colours of the cells of a picture; where there are fewer pixels than cells, neighbours share them."""
    height, width = rgb.shape[:2]
    out = np.empty((CELLS, CELLS, 3))
    for v in range(CELLS):
        top = v * height // CELLS
        bottom = max(top + 1, (v + 1) * height // CELLS)
        for u in range(CELLS):
            left = u * width // CELLS
            right = max(left + 1, (u + 1) * width // CELLS)
            red, green, blue = 0, 0, 0
            for y in range(top, bottom):
                for x in range(left, right):
                    red, green, blue = red + rgb[y, x, 0], green + rgb[y, x, 1], blue + rgb[y, x, 2]
            pixels = (bottom - top) * (right - left)
            out[v, u, 0], out[v, u, 1], out[v, u, 2] = red / pixels, green / pixels, blue / pixels
    return out


@njit(cache=True, nogil=True)
def planes(cells: np.ndarray) -> np.ndarray:
    """(4, 16, 16): luminance over 255, red's and blue's share of the channels' sum, and 1 where a cell is lit."""
    out = np.empty((4, CELLS, CELLS))
    for y in range(CELLS):
        for x in range(CELLS):
            red, green, blue = cells[y, x]
            total = max(red + green + blue, 1.0)
            light = 0.299 * red + 0.587 * green + 0.114 * blue
            out[0, y, x], out[1, y, x], out[2, y, x], out[3, y, x] = (
                light / 255,
                red / total,
                blue / total,
                light >= SURROUND,
            )
    return out


@njit(cache=True, nogil=True)
def apart(values: np.ndarray, lit: np.ndarray, step: int) -> float:
    """Mean difference of lit cells `step` apart, in a row or a column."""
    total, count = 0.0, 0
    for y in range(CELLS):
        for x in range(CELLS):
            for v, u in ((y, x + step), (y + step, x)):
                if v < CELLS and u < CELLS and lit[y, x] and lit[v, u]:
                    total += abs(values[v, u] - values[y, x])
                    count += 1
    return total / max(count, 1)


@njit(cache=True, nogil=True)
def moments(values: np.ndarray, where: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the cells that are wanted; 0 where there are none."""
    count, first, second = 0, 0.0, 0.0
    for y in range(CELLS):
        for x in range(CELLS):
            if where[y, x]:
                count, first, second = count + 1, first + values[y, x], second + values[y, x] ** 2
    mean = first / max(count, 1)
    return mean, np.sqrt(max(second / max(count, 1) - mean * mean, 0.0))


@njit(cache=True, nogil=True)
def longest_step(light: np.ndarray) -> float:
    """The largest mean luminance difference of two neighbouring rows or columns of cells: a horizon, a wall, a table's edge."""
    most = 0.0
    for n in range(CELLS - 1):
        most = max(most, np.abs(light[n + 1] - light[n]).mean(), np.abs(light[:, n + 1] - light[:, n]).mean())
    return most


@njit(cache=True, nogil=True)
def kinds(cells: np.ndarray, lit: np.ndarray) -> np.ndarray:
    """(5,) shares of the lit cells: more green than red, more blue than red, grey, vivid, yellow to green."""
    out, total = np.zeros(5), 0
    for y in range(CELLS):
        for x in range(CELLS):
            if lit[y, x]:
                red, green, blue = cells[y, x]
                span = max(red, green, blue) - min(red, green, blue)
                found = (green > red, blue > red, span < 16, span > 90, green > 0.85 * red)
                for n in range(5):
                    out[n] += found[n]
                total += 1
    return out / max(total, 1)


@njit(cache=True, nogil=True)
def zones(lit: np.ndarray) -> tuple[Any, Any, Any]:
    """(16, 16) masks of lit cells: the two outermost rings, the middle, the upper half."""
    rim, middle, upper = np.zeros((CELLS, CELLS)), np.zeros((CELLS, CELLS)), np.zeros((CELLS, CELLS))
    half = (CELLS - 1) / 2
    for y in range(CELLS):
        for x in range(CELLS):
            on = lit[y, x]
            rim[y, x] = on * (max(abs(y - half), abs(x - half)) > 0.75 * half)
            middle[y, x] = on * (np.hypot(y - half, x - half) < 0.5 * half)
            upper[y, x] = on * (y < half)
    return rim, middle, upper


@njit(cache=True, nogil=True)
def layout(cells: np.ndarray) -> np.ndarray:
    """(24,) numbers of (16, 16, 3) mean colours, in the order of `quality.appearance.LAYOUT`: levels over 255, shares of hue as they are."""
    maps = planes(cells)
    light, red, blue, lit = maps[0], maps[1], maps[2], maps[3]
    rim, middle, upper = zones(lit)
    out = np.empty(24)
    for n, step in enumerate((1, 4, 8)):
        out[n], out[3 + n] = apart(light, lit, step), apart(red, lit, step) + apart(blue, lit, step)
    out[6] = longest_step(light) / (out[0] + 0.004)
    for n in range(3):
        values = maps[n]
        mean, spread = moments(values, rim)
        out[7 + n], out[10 + n], out[13 + n] = mean, spread, moments(values, middle)[0] - mean
        out[16 + n] = abs(moments(values, upper)[0] - moments(values, lit - upper)[0])
    out[19:24] = kinds(cells, lit)
    return out
