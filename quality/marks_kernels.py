"""Rows of marks: evenly spaced ones, and those that stand on a line. Compiled by numba on first use, imported where they are needed."""

from typing import Any

import numpy as np
from numba import njit

CELL = 4
"""Pixels of a cell's side, by which marks are looked up."""


@njit(cache=True, nogil=True)
def longest_row(centres: np.ndarray, sizes: np.ndarray, reach: float) -> int:
    """Most marks in a straight, evenly spaced row of steps up to `reach`; marks of a row are of a size, within a factor of about two."""
    most, n = 0, centres.shape[0]
    first, following = _cells(centres)
    for i in range(n):
        for j in range(n):
            dx, dy = centres[j, 0] - centres[i, 0], centres[j, 1] - centres[i, 1]
            if abs(dx) > reach or abs(dy) > reach or i == j:
                continue
            step = np.hypot(dx, dy)
            if step < 3.0 or step > reach or not alike(sizes, i, j) or not across(sizes, i, dx, dy):
                continue
            count, x, y, gap = 2, centres[j, 0], centres[j, 1], 1
            # Every fifth or tenth tick is longer and has its centre elsewhere: one may be missing at a time.
            while gap <= 2 and count < 60:
                k = _nearest(centres, sizes, first, following, i, x + gap * dx, y + gap * dy, 0.12 * step + 0.6)
                if k < 0:
                    gap += 1
                    continue
                # The step is corrected by what was found: curves of a lens, rounding of places.
                nx, ny = centres[k, 0], centres[k, 1]
                dx, dy = 0.7 * dx + 0.3 * (nx - x) / gap, 0.7 * dy + 0.3 * (ny - y) / gap
                x, y, gap = nx, ny, 1
                count += 1
            most = max(most, count)
    return most if most >= 3 else 0


@njit(cache=True, nogil=True)
def _cells(centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each cell the last mark in it, of each mark the one before it in its cell; -1 where there is none."""
    first = np.full((int(centres[:, 1].max()) // CELL + 1, int(centres[:, 0].max()) // CELL + 1), -1, np.int64)
    following = np.full(centres.shape[0], -1, np.int64)
    for n in range(centres.shape[0]):
        y, x = int(centres[n, 1]) // CELL, int(centres[n, 0]) // CELL
        following[n], first[y, x] = first[y, x], n
    return first, following


@njit(cache=True, nogil=True)
def _nearest(
    centres: np.ndarray, sizes: np.ndarray, first: np.ndarray, following: np.ndarray, i: int, x: float, y: float, within: float
) -> Any:
    """The mark nearest to a place and like mark i, -1 for none within a distance (of at most two cells)."""
    best, found = within, -1
    low_y, high_y = max(int(y - within) // CELL, 0), min(int(y + within) // CELL, first.shape[0] - 1)
    low_x, high_x = max(int(x - within) // CELL, 0), min(int(x + within) // CELL, first.shape[1] - 1)
    for cell_y in range(low_y, high_y + 1):
        for cell_x in range(low_x, high_x + 1):
            m = first[cell_y, cell_x]
            while m >= 0:
                off = np.hypot(centres[m, 0] - x, centres[m, 1] - y)
                if off < best and m != i and alike(sizes, i, m):
                    best, found = off, m
                m = following[m]
    return found


@njit(cache=True, nogil=True)
def across(sizes: np.ndarray, i: int, dx: float, dy: float) -> bool:
    """Whether a mark's longer side does not lie along the row, as dashes of a line would."""
    if abs(dx) > 2 * abs(dy):
        return sizes[i, 1] >= sizes[i, 0]
    if abs(dy) > 2 * abs(dx):
        return sizes[i, 0] >= sizes[i, 1]
    return True


@njit(cache=True, nogil=True)
def alike(sizes: np.ndarray, i: Any, j: Any) -> bool:
    """Whether two marks are of about one width and height."""
    wide = abs(sizes[i, 0] - sizes[j, 0]) <= 2.0 + 0.5 * min(sizes[i, 0], sizes[j, 0])
    return wide and abs(sizes[i, 1] - sizes[j, 1]) <= 2.0 + 0.5 * min(sizes[i, 1], sizes[j, 1])


@njit(cache=True, nogil=True)
def longest_line(parts: np.ndarray) -> int:
    """Most parts side by side: sorted by left edge; left, top, width, height, area, centre x and y in columns."""
    n = parts.shape[0]
    best = np.ones(n, np.int64)
    for j in range(n):
        for i in range(j):
            height = max(parts[i, 3], parts[j, 3])
            gap = parts[j, 0] - parts[i, 0] - parts[i, 2]
            level = abs(parts[i, 1] + parts[i, 3] - parts[j, 1] - parts[j, 3]) <= max(2.0, 0.2 * height)
            alike_high = min(parts[i, 3], parts[j, 3]) > 0.6 * height
            if level and alike_high and -0.3 * height < gap < 0.9 * height and best[i] + 1 > best[j]:
                best[j] = best[i] + 1
    return best.max()
