"""Loops over pixels behind the image metrics, compiled by numba on first use. Imported where they are needed."""

import numpy as np
from numba import njit

LIGHT, RED, GREEN, BLUE = 0, 1, 2, 3
SURROUND = 24
"""Level under which a pixel is the black of a lens cap, a frame or a dermoscope's surround."""


@njit(cache=True, nogil=True)
def grey_of(rgb: np.ndarray) -> np.ndarray:
    """(h, w) uint8 luminance of an (h, w, 3) uint8 raster (ITU-R 601, eight bits)."""
    out = np.empty(rgb.shape[:2], np.uint8)
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            out[y, x] = (rgb[y, x, 0] * 77 + rgb[y, x, 1] * 150 + rgb[y, x, 2] * 29) >> 8
    return out


@njit(cache=True, nogil=True)
def tally(rgb: np.ndarray, palette: np.ndarray, light: np.ndarray, counts: np.ndarray) -> None:
    """Histograms of a picture: `palette` (4096) of 4-bit colours, `light` (256) of luminance, and `counts` of kinds of pixels.

    `counts`: clipped (two channels at 252 or more), black, possibly skin, stained (magenta and violet as of a section), coloured;
    and the sum of largest minus smallest channel.
    """
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            r, g, b = np.int32(rgb[y, x, 0]), np.int32(rgb[y, x, 1]), np.int32(rgb[y, x, 2])
            palette[(r >> 4) << 8 | (g >> 4) << 4 | b >> 4] += 1
            value = (r * 77 + g * 150 + b * 29) >> 8
            light[value] += 1
            total = r + g + b
            counts[0] += (r >= 252) + (g >= 252) + (b >= 252) >= 2
            counts[1] += value < SURROUND
            counts[5] += max(r, g, b) - min(r, g, b)
            # Shares of the three channels: skin has more red than a third and never more green than red.
            counts[2] += (value >= SURROUND) & (100 * r >= 33 * total) & (100 * g <= 36 * total) & (100 * b <= 37 * total) & (r < 254)
            counts[3] += (value >= SURROUND) & (r > g + 24) & (b > g + 24) & (100 * b >= 33 * total)
            counts[4] += max(r, g, b) - min(r, g, b) > 24


@njit(cache=True, nogil=True)
def differences(grey: np.ndarray) -> np.ndarray:
    """(5, 2): mean absolute luminance differences at 1 step and at 8, along 0, 90, 45, 135 degrees, away from black.

    The last row holds the share of pixels that differ by 40 levels and more from a neighbour, and by 2 and less.
    """
    out, count = np.zeros((5, 2)), 0
    for y in range(8, grey.shape[0] - 8, 2):
        for x in range(8, grey.shape[1] - 8):
            here = np.int32(grey[y, x])
            if here < SURROUND:
                continue
            count += 1
            right, below = abs(here - grey[y, x + 1]), abs(here - grey[y + 1, x])
            out[0, 0] += right
            out[1, 0] += below
            out[2, 0] += abs(here - grey[y + 1, x + 1])
            out[3, 0] += abs(here - grey[y - 1, x + 1])
            out[0, 1] += abs(here - grey[y, x + 8])
            out[1, 1] += abs(here - grey[y + 8, x])
            out[2, 1] += abs(here - grey[y + 8, x + 8])
            out[3, 1] += abs(here - grey[y - 8, x + 8])
            out[4, 0] += max(right, below) >= 40
            out[4, 1] += max(right, below) <= 2
    return out / max(count, 1)


@njit(cache=True, nogil=True)
def blocks(rgb: np.ndarray, rows: int) -> np.ndarray:
    """Of the green channel in about `rows` rows at full size: mean second difference at columns 8n - 1 | 8n, mean elsewhere, share flat.

    Flat is a pixel whose three neighbours to the right and below differ by at most one level, among those that are not black.
    """
    height, width = rgb.shape[:2]
    step = max(1, height // rows)
    edge, other, n_edge, n_other, flat, lit = 0.0, 0.0, 0, 0, 0, 0
    for y in range(step // 2, height - 1, step):
        for x in range(2, width - 2):
            a, b = np.int32(rgb[y, x - 1, 1]), np.int32(rgb[y, x, 1])
            jump = abs(3 * (b - a) - (np.int32(rgb[y, x + 1, 1]) - np.int32(rgb[y, x - 2, 1])))
            if x % 8 == 0:
                edge += jump
                n_edge += 1
            elif x % 8 == 4:
                other += jump
                n_other += 1
            if b >= SURROUND:
                lit += 1
                flat += (abs(b - a) <= 1) & (abs(b - np.int32(rgb[y + 1, x, 1])) <= 1) & (abs(b - np.int32(rgb[y, x + 1, 1])) <= 1)
    out = np.zeros(3)
    out[0], out[1], out[2] = edge / max(n_edge, 1), other / max(n_other, 1), flat / max(lit, 1)
    return out


@njit(cache=True, nogil=True)
def lines(grey: np.ndarray, reach: int, depth: int, sign: int) -> np.ndarray:
    """(h, w) uint8 mask of thin lines: `depth` darker (`sign` 1) or lighter (-1) than both sides at `reach`, along one direction only."""
    out = np.zeros(grey.shape, np.uint8)
    for y in range(reach, grey.shape[0] - reach):
        for x in range(reach, grey.shape[1] - reach):
            here = sign * np.int32(grey[y, x])
            across = min(sign * np.int32(grey[y, x - reach]), sign * np.int32(grey[y, x + reach])) - here
            down = min(sign * np.int32(grey[y - reach, x]), sign * np.int32(grey[y + reach, x])) - here
            if max(across, down) < depth // 2:
                continue
            r = (reach * 3 + 2) // 4
            one = min(sign * np.int32(grey[y - r, x - r]), sign * np.int32(grey[y + r, x + r])) - here
            two = min(sign * np.int32(grey[y - r, x + r]), sign * np.int32(grey[y + r, x - r])) - here
            out[y, x] = max(across, down, one, two) >= depth
    return out


@njit(cache=True, nogil=True)
def steps_across(grey: np.ndarray) -> np.ndarray:
    """(w, 4): mean absolute step from column x - 1 to x + 1, in each quarter of the rows."""
    height, width = grey.shape
    out = np.zeros((width, 4))
    for y in range(height):
        part = min(y * 4 // height, 3)
        for x in range(1, width - 1):
            out[x, part] += abs(np.int32(grey[y, x + 1]) - np.int32(grey[y, x - 1]))
    return out / (height / 4)


@njit(cache=True, nogil=True)
def margins(grey: np.ndarray, within: int, step: int) -> np.ndarray:
    """How many rows from the top and the bottom, columns from the left and the right, are one shade to `within` levels.

    None where the picture does not set off from them by a mean of `step` levels: that is no frame, but a picture that fades.
    """
    height, width = grey.shape
    out = np.zeros(4, np.int64)
    for side in range(4):
        depth, length = (height, width) if side < 2 else (width, height)
        shade = -1
        for n in range(depth // 2):
            low, high, apart = 255, 0, 0
            for m in range(length):
                at = n if side % 2 == 0 else depth - 1 - n
                value = np.int32(grey[at, m]) if side < 2 else np.int32(grey[m, at])
                low, high = min(low, value), max(high, value)
                apart += abs(value - shade)
            if high - low > within or (shade >= 0 and abs(low - shade) > within):
                # One row may be a mixture of both.
                if out[side] and n - out[side] < 2 and apart < step * length:
                    continue
                out[side] = out[side] if out[side] and apart >= step * length else 0
                break
            shade = low if shade < 0 else shade
            out[side] = n + 1
    return out
