"""Loops over pixels behind the image metrics, compiled by numba on first use. Imported where they are needed."""

from typing import Any

import numpy as np
from numba import njit

SURROUND = 24
"""Level under which a pixel is the black of a lens cap, a frame or a dermoscope's surround."""


@njit(cache=True, nogil=True)
def shrunk(rgb: np.ndarray, factor: int) -> np.ndarray:
    """(h // factor, w // factor) uint8 luminance (ITU-R 601): of four pixels of each square of `factor` (2 and more) pixels a side."""
    out = np.empty((rgb.shape[0] // factor, rgb.shape[1] // factor), np.uint8)
    low, high = factor // 4, factor // 4 + (factor + 1) // 2
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            red, green, blue = np.uint32(0), np.uint32(0), np.uint32(0)
            for dy in (low, high):
                for dx in (low, high):
                    pixel = rgb[y * factor + dy, x * factor + dx]
                    red, green, blue = np.uint32(red + pixel[0]), np.uint32(green + pixel[1]), np.uint32(blue + pixel[2])
            out[y, x] = (red * 77 + green * 150 + blue * 29) >> 10
    return out


@njit(cache=True, nogil=True)
def tally(rgb: np.ndarray, palette: np.ndarray, light: np.ndarray, counts: np.ndarray) -> None:
    """Histograms of a picture: `palette` (4096) of 4-bit colours, `light` (256) of luminance, and `counts` of kinds of pixels.

    `counts`: clipped (two channels at 252 or more), black, possibly skin, violet (as stained nuclei are), coloured; then
    sums of largest less smallest channel and of the three channels; last the pixels of the two commonest colours.
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
            counts[6] += r
            counts[7] += g
            counts[8] += b
            # Shares of the three channels: skin has more red than a third and never more green than red.
            counts[2] += (
                (value >= SURROUND) & (100 * r >= 33 * total) & (100 * g <= 36 * total) & (100 * b <= 37 * total) & (r < 254)
            )
            counts[3] += (value >= SURROUND) & (r > g + 16) & (b > g + 24) & (b > r + 12)
            counts[4] += max(r, g, b) - min(r, g, b) > 24
    most, second = 0, 0
    for n in palette:
        most, second = (n, most) if n > most else (most, max(second, n))
    counts[9] = most + second


@njit(cache=True, nogil=True)
def differences(grey: np.ndarray) -> np.ndarray:
    """(5, 2): mean absolute luminance differences at 1 step and at 8, along 0, 90, 45, 135 degrees, away from black.

    The last row holds the share of pixels that differ by 40 levels and more from a neighbour, and by 2 and less.
    """
    out, count = np.zeros((5, 2)), 0
    for y in range(8, grey.shape[0] - 8, 4):
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

    Flat is a pixel whose neighbours left, right and below have its very level, among those that are not black.
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
                flat += (b == a) & (rgb[y, x, 1] == rgb[y + 1, x, 1]) & (rgb[y, x, 1] == rgb[y, x + 1, 1])
    out = np.zeros(3)
    out[0], out[1], out[2] = edge / max(n_edge, 1), other / max(n_other, 1), flat / max(lit, 1)
    return out


@njit(cache=True, nogil=True)
def lines(grey: np.ndarray, reach: int, hair: int, printed: int) -> np.ndarray:
    """(h, w) uint8 of thin lines: bit 1 where `hair` levels darker than both sides at `reach`, 2 and 4 where `printed` darker, lighter."""
    out = np.zeros(grey.shape, np.uint8)
    r = (reach * 3 + 2) // 4
    for y in range(reach, grey.shape[0] - reach):
        for x in range(reach, grey.shape[1] - reach):
            here = np.int32(grey[y, x])
            left, right = np.int32(grey[y, x - reach]), np.int32(grey[y, x + reach])
            up, down = np.int32(grey[y - reach, x]), np.int32(grey[y + reach, x])
            darker = max(min(left, right), min(up, down)) - here
            if darker >= hair // 2:
                a, b = np.int32(grey[y - r, x - r]), np.int32(grey[y + r, x + r])
                c, d = np.int32(grey[y - r, x + r]), np.int32(grey[y + r, x - r])
                darker = max(darker, max(min(a, b), min(c, d)) - here)
                out[y, x] = (darker >= hair) | (darker >= printed) << 1
                continue
            lighter = here - min(max(left, right), max(up, down))
            if lighter >= printed // 2:
                a, b = np.int32(grey[y - r, x - r]), np.int32(grey[y + r, x + r])
                c, d = np.int32(grey[y - r, x + r]), np.int32(grey[y + r, x - r])
                lighter = max(lighter, here - min(max(a, b), max(c, d)))
                out[y, x] = (lighter >= printed) << 2
    return out


@njit(cache=True, nogil=True)
def parts(mask: np.ndarray, bit: int, least: int) -> np.ndarray:
    """(n, 7) of eight-connected parts of at least `least` pixels that have a bit: left, top, width, height, area, and the centre's x and y."""
    places = _places(mask, bit)
    if len(places) < least:
        return np.zeros((0, 7))
    labels = np.zeros((mask.shape[0] + 1, mask.shape[1] + 2), np.int32)
    parent = np.arange(len(places) + 1)
    count = 0
    for n in range(len(places)):
        # One row and one column of nothing around, so that no neighbour has to be asked whether it exists.
        y, x = places[n, 0] + 1, places[n, 1] + 1
        mine = 0
        for other in (labels[y, x - 1], labels[y - 1, x - 1], labels[y - 1, x], labels[y - 1, x + 1]):
            if other:
                other = _root(parent, other)
                if mine and mine != other:
                    parent[max(mine, other)] = min(mine, other)
                mine = other if mine == 0 else min(mine, other)
        if mine == 0:
            count += 1
            mine = count
        labels[y, x] = mine
    return _measured_parts(places, labels, parent[: count + 1], least)


@njit(cache=True, nogil=True)
def _places(mask: np.ndarray, bit: int) -> np.ndarray:
    """(n, 2) int32: row and column of the pixels that have a bit, in the order of rows."""
    counts = np.zeros(mask.shape[0], np.int64)
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            counts[y] += (mask[y, x] & bit) != 0
    out, n = np.empty((counts.sum(), 2), np.int32), 0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1] if counts[y] else 0):
            if mask[y, x] & bit:
                out[n, 0], out[n, 1] = y, x
                n += 1
    return out


@njit(cache=True, nogil=True)
def _root(parent: np.ndarray, n: Any) -> Any:
    while parent[n] != n:
        n = parent[n]
    return n


@njit(cache=True, nogil=True)
def _measured_parts(places: np.ndarray, labels: np.ndarray, parent: np.ndarray, least: int) -> np.ndarray:
    low = np.full((len(parent), 2), 1 << 20, np.int64)
    high, sums = np.zeros((len(parent), 2), np.int64), np.zeros((len(parent), 3), np.int64)
    for k in range(len(places)):
        y, x = places[k, 0], places[k, 1]
        n = _root(parent, labels[y + 1, x + 1])
        low[n, 0], low[n, 1] = min(low[n, 0], x), min(low[n, 1], y)
        high[n, 0], high[n, 1] = max(high[n, 0], x), max(high[n, 1], y)
        sums[n, 0] += 1
        sums[n, 1] += x
        sums[n, 2] += y
    chosen = np.nonzero(sums[:, 0] >= least)[0]
    out = np.zeros((len(chosen), 7))
    for k in range(len(chosen)):
        n = chosen[k]
        out[k, 0], out[k, 1] = low[n, 0], low[n, 1]
        out[k, 2], out[k, 3] = high[n, 0] - low[n, 0] + 1, high[n, 1] - low[n, 1] + 1
        out[k, 4], out[k, 5], out[k, 6] = sums[n, 0], sums[n, 1] / sums[n, 0], sums[n, 2] / sums[n, 0]
    return out


@njit(cache=True, nogil=True)
def standing_out(steps: np.ndarray, around: int, rim: int) -> float:
    """The largest step over one more than the mean of those within `around` places but not beside it, `rim` places away from both ends."""
    most, sums = 0.0, np.cumsum(steps)
    for x in range(max(rim, around + 1), len(steps) - max(rim, around)):
        near = sums[x + 2] - sums[x - 3]
        mean = (sums[x + around] - sums[x - around - 1] - near) / (2 * around - 4)
        most = max(most, steps[x] / (mean + 1.0))
    return most


@njit(cache=True, nogil=True)
def steps_across(grey: np.ndarray, share: float) -> np.ndarray:
    """(w,): the step from column x - 1 to x + 1, still there from x - 4 to x + 4, that all but `share` of the rows reach.

    A seam steps everywhere; a fold does not, and beyond a hair the skin is as it was.
    """
    height, width = grey.shape
    out, seen, allowed = np.zeros(width), np.zeros(256, np.int64), share * ((height + 1) // 2)
    for x in range(4, width - 4):
        seen[:] = 0
        for y in range(0, height, 2):
            near = abs(np.int32(grey[y, x + 1]) - np.int32(grey[y, x - 1]))
            far = abs(np.int32(grey[y, x + 4]) - np.int32(grey[y, x - 4]))
            seen[min(near, far)] += 1
        count, level = 0, 0
        while count + seen[level] <= allowed:
            count += seen[level]
            level += 1
        out[x] = level + (allowed - count) / seen[level]
    return out


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


@njit(cache=True, nogil=True)
def inked(lab: np.ndarray, least_light: int, bluer: int, greener: int) -> np.ndarray:
    """(h, w) uint8 mask of an 8-bit CIELAB picture: what is bluer or greener than the median of what is lit, and truly blue or green."""
    counts = np.zeros((2, 256), np.int64)
    for y in range(lab.shape[0]):
        for x in range(lab.shape[1]):
            if lab[y, x, 0] > least_light:
                counts[0, lab[y, x, 1]] += 1
                counts[1, lab[y, x, 2]] += 1
    middle_a, middle_b = _middle(counts[0]), _middle(counts[1])
    out = np.zeros(lab.shape[:2], np.uint8)
    for y in range(lab.shape[0]):
        for x in range(lab.shape[1]):
            a, b = np.int32(lab[y, x, 1]) - middle_a, np.int32(lab[y, x, 2]) - middle_b
            blue = (lab[y, x, 2] < 126) & (b < -bluer) & (a < 18)
            out[y, x] = (lab[y, x, 0] > least_light) & (blue | ((lab[y, x, 1] < 122) & (a < -greener)))
    return out


@njit(cache=True, nogil=True)
def _middle(counts: np.ndarray) -> int:
    """The median of 8-bit values, from how often each occurs."""
    half, seen = counts.sum() / 2, 0
    for value in range(256):
        seen += counts[value]
        if seen >= half:
            return value
    return 255
