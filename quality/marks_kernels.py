"""Rows of marks: evenly spaced ones, and those that stand on a line. Compiled by numba on first use, imported where they are needed."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def longest_row(centres: np.ndarray, sizes: np.ndarray, reach: float) -> int:
    """Most marks in a straight, evenly spaced row of steps up to `reach`; marks of a row are of a size, within a factor of about two."""
    most = 0
    n = centres.shape[0]
    for i in range(n):
        for j in range(n):
            dx, dy = centres[j, 0] - centres[i, 0], centres[j, 1] - centres[i, 1]
            step = np.hypot(dx, dy)
            if i == j or step < 3.0 or step > reach or not alike(sizes, i, j) or not across(sizes, i, dx, dy):
                continue
            count, x, y, missed = 2, centres[j, 0], centres[j, 1], 0
            while missed == 0:
                missed = 1
                best, best_k = 0.15 * step + 0.6, -1
                for m in range(n):
                    off = np.hypot(centres[m, 0] - x - dx, centres[m, 1] - y - dy)
                    if off < best and m != i and m != j and alike(sizes, i, m):
                        best, best_k = off, m
                if best_k >= 0:
                    # The step is corrected by what was found: curves of a lens, rounding of places.
                    nx, ny = centres[best_k, 0], centres[best_k, 1]
                    dx, dy = 0.5 * dx + 0.5 * (nx - x), 0.5 * dy + 0.5 * (ny - y)
                    x, y, missed = nx, ny, 0
                    count += 1
                    if count >= 60:
                        return count
            most = max(most, count)
    return most if most >= 3 else 0


@njit(cache=True, nogil=True)
def across(sizes: np.ndarray, i: int, dx: float, dy: float) -> bool:
    """Whether a mark's longer side does not lie along the row, as dashes of a line would."""
    if abs(dx) > 2 * abs(dy):
        return sizes[i, 1] >= sizes[i, 0]
    if abs(dy) > 2 * abs(dx):
        return sizes[i, 0] >= sizes[i, 1]
    return True


@njit(cache=True, nogil=True)
def alike(sizes: np.ndarray, i: int, j: int) -> bool:
    """Whether two marks are of about one width and height."""
    for n in range(2):
        if abs(sizes[i, n] - sizes[j, n]) > 2.0 + 0.5 * min(sizes[i, n], sizes[j, n]):
            return False
    return True


@njit(cache=True, nogil=True)
def longest_line(parts: np.ndarray) -> int:
    """Most parts side by side: sorted by left edge; left, top, width, height, area, centre x and y in columns."""
    n = parts.shape[0]
    best = np.ones(n, np.int64)
    for j in range(n):
        for i in range(j):
            height = max(parts[i, 3], parts[j, 3])
            gap = parts[j, 0] - parts[i, 0] - parts[i, 2]
            level = abs(parts[i, 6] - parts[j, 6]) < 0.3 * height
            alike_high = min(parts[i, 3], parts[j, 3]) > 0.6 * height
            if level and alike_high and -0.3 * height < gap < 0.9 * height and best[i] + 1 > best[j]:
                best[j] = best[i] + 1
    return best.max()
