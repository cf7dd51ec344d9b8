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
    # Unsigned places need no asking whether they count from the end.
    step, low = np.uint64(factor), np.uint64(factor // 4)
    high = low + np.uint64((factor + 1) // 2)
    for y in range(np.uint64(out.shape[0])):
        upper, lower = rgb[y * step + low], rgb[y * step + high]
        for x in range(np.uint64(out.shape[1])):
            a, b = x * step + low, x * step + high
            red = np.uint32(upper[a, 0]) + np.uint32(upper[b, 0]) + np.uint32(lower[a, 0]) + np.uint32(lower[b, 0])
            green = np.uint32(upper[a, 1]) + np.uint32(upper[b, 1]) + np.uint32(lower[a, 1]) + np.uint32(lower[b, 1])
            blue = np.uint32(upper[a, 2]) + np.uint32(upper[b, 2]) + np.uint32(lower[a, 2]) + np.uint32(lower[b, 2])
            out[y, x] = (red * 77 + green * 150 + blue * 29) >> 10
    return out


@njit(cache=True, nogil=True)
def sampled(rgb: np.ndarray, step: int) -> np.ndarray:
    """Every `step`-th pixel of every `step`-th row, from the middle of the first step on."""
    first = step // 2
    out = np.empty(((rgb.shape[0] - first + step - 1) // step, (rgb.shape[1] - first + step - 1) // step, 3), np.uint8)
    for y in range(out.shape[0]):
        row = rgb[first + y * step]
        for x in range(np.uint64(out.shape[1])):
            at = np.uint64(first) + x * np.uint64(step)
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = row[at, 0], row[at, 1], row[at, 2]
    return out


@njit(cache=True, nogil=True)
def tally(rgb: np.ndarray, palette: np.ndarray, light: np.ndarray, counts: np.ndarray) -> None:
    """Histograms of a picture: `palette` (4096) of 4-bit colours, `light` (256) of luminance, and `counts` of kinds of pixels.

    `counts`: clipped (two channels at 252 or more), black, possibly skin, violet (as stained nuclei are), coloured; then
    sums of largest less smallest channel and of the three channels; last the pixels of the two commonest colours.
    """
    red, green, blue = np.empty(rgb.shape[1], np.int32), np.empty(rgb.shape[1], np.int32), np.empty(rgb.shape[1], np.int32)
    value = np.empty(rgb.shape[1], np.int32)
    for y in range(rgb.shape[0]):
        row = rgb[y]
        for x in range(row.shape[0]):
            r, g, b = np.int32(row[x, 0]), np.int32(row[x, 1]), np.int32(row[x, 2])
            palette[np.uint32((r >> 4) << 8 | (g >> 4) << 4 | b >> 4)] += 1
            red[x], green[x], blue[x], value[x] = r, g, b, (r * 77 + g * 150 + b * 29) >> 8
            light[np.uint32(value[x])] += 1
        _kinds(red, green, blue, value, counts)
    most, second = 0, 0
    for n in palette:
        most, second = (n, most) if n > most else (most, max(second, n))
    counts[9] = most + second


@njit(cache=True, nogil=True)
def _kinds(red: np.ndarray, green: np.ndarray, blue: np.ndarray, value: np.ndarray, counts: np.ndarray) -> None:
    """Adds a row of pixels to the kinds and the sums of `tally`."""
    clipped, black, skin, violet, coloured = np.int32(0), np.int32(0), np.int32(0), np.int32(0), np.int32(0)
    spread, reds, greens, blues = np.int32(0), np.int32(0), np.int32(0), np.int32(0)
    for x in range(red.shape[0]):
        r, g, b = red[x], green[x], blue[x]
        total, apart = np.int32(r + g + b), np.int32(max(r, g, b) - min(r, g, b))
        lit = value[x] >= SURROUND
        clipped = np.int32(clipped + (((r >= 252) & (g >= 252)) | ((g >= 252) & (b >= 252)) | ((r >= 252) & (b >= 252))))
        black = np.int32(black + (value[x] < SURROUND))
        spread = np.int32(spread + apart)
        reds, greens, blues = np.int32(reds + r), np.int32(greens + g), np.int32(blues + b)
        # Shares of the three channels: skin has more red than a third and never more green than red.
        warm = (np.int32(100 * r) >= np.int32(33 * total)) & (np.int32(100 * g) <= np.int32(36 * total))
        skin = np.int32(skin + (lit & warm & (np.int32(100 * b) <= np.int32(37 * total)) & (r < 254)))
        violet = np.int32(violet + (lit & (r > g + 16) & (b > g + 24) & (b > r + 12)))
        coloured = np.int32(coloured + (apart > 24))
    for n, found in enumerate((clipped, black, skin, violet, coloured, spread, reds, greens, blues)):
        counts[n] += found


@njit(cache=True, nogil=True)
def differences(grey: np.ndarray) -> np.ndarray:
    """(5, 3): mean absolute luminance differences at 1 step and at 8, and second differences, along 0, 90, 45, 135 degrees, away from black.

    The last row holds the share of pixels that differ by 40 levels and more from a neighbour, and by 2 and less, and nothing.
    """
    sums, count = np.zeros((5, 3), np.int64), 0
    width = grey.shape[1]
    for y in range(8, grey.shape[0] - 8, 4):
        here, lit = grey[y, 8 : width - 8], grey[y, 8 : width - 8] >= SURROUND
        right, below = grey[y, 9 : width - 7], grey[y + 1, 8 : width - 8]
        count += _where(lit)
        sums[0, 0] += _apart(here, right, lit)
        sums[1, 0] += _apart(here, below, lit)
        sums[2, 0] += _apart(here, grey[y + 1, 9 : width - 7], lit)
        sums[3, 0] += _apart(here, grey[y - 1, 9 : width - 7], lit)
        sums[0, 1] += _apart(here, grey[y, 16:], lit)
        sums[1, 1] += _apart(here, grey[y + 8, 8 : width - 8], lit)
        sums[2, 1] += _apart(here, grey[y + 8, 16:], lit)
        sums[3, 1] += _apart(here, grey[y - 8, 16:], lit)
        sums[0, 2] += _bent(grey[y, 7 : width - 9], here, right, lit)
        sums[1, 2] += _bent(grey[y - 1, 8 : width - 8], here, below, lit)
        sums[2, 2] += _bent(grey[y - 1, 7 : width - 9], here, grey[y + 1, 9 : width - 7], lit)
        sums[3, 2] += _bent(grey[y - 1, 9 : width - 7], here, grey[y + 1, 7 : width - 9], lit)
        _steps(here, right, below, lit, sums[4])
    return sums / max(count, 1)


@njit(cache=True, nogil=True)
def _where(lit: np.ndarray) -> int:
    count = np.int32(0)
    for x in range(lit.shape[0]):
        count = np.int32(count + lit[x])
    return int(count)


@njit(cache=True, nogil=True)
def _apart(here: np.ndarray, there: np.ndarray, lit: np.ndarray) -> int:
    """Sum of absolute differences of two rows where `lit`."""
    total = np.int32(0)
    for x in range(here.shape[0]):
        apart = np.int32(max(here[x], there[x])) - np.int32(min(here[x], there[x]))
        total = np.int32(total + (apart if lit[x] else 0))
    return int(total)


@njit(cache=True, nogil=True)
def _bent(before: np.ndarray, here: np.ndarray, after: np.ndarray, lit: np.ndarray) -> int:
    """Sum of absolute second differences of three rows where `lit`."""
    total = np.int32(0)
    for x in range(here.shape[0]):
        bent = np.int32(np.int32(before[x]) + np.int32(after[x]) - 2 * np.int32(here[x]))
        total = np.int32(total + (abs(bent) if lit[x] else 0))
    return int(total)


@njit(cache=True, nogil=True)
def _steps(here: np.ndarray, right: np.ndarray, below: np.ndarray, lit: np.ndarray, out: np.ndarray) -> None:
    """Adds to `out` (2,) how many pixels of a row differ by 40 levels and more from a neighbour, and by 2 and less."""
    edges, flats = np.int32(0), np.int32(0)
    for x in range(here.shape[0]):
        across = np.int32(max(here[x], right[x])) - np.int32(min(here[x], right[x]))
        down = np.int32(max(here[x], below[x])) - np.int32(min(here[x], below[x]))
        most = max(across, down)
        edges = np.int32(edges + (lit[x] & (most >= 40)))
        flats = np.int32(flats + (lit[x] & (most <= 2)))
    out[0] += edges
    out[1] += flats


@njit(cache=True, nogil=True)
def blocks(rgb: np.ndarray, rows: int) -> np.ndarray:
    """Of the green channel in about `rows` rows at full size: mean second difference at columns 8n - 1 | 8n, mean elsewhere, share flat.

    Flat is a pixel whose neighbours left, right and below have its very level, among those that are not black.
    """
    height, width = rgb.shape[:2]
    step = max(1, height // rows)
    edge, other, n_edge, n_other, flat, lit = 0, 0, 0, 0, 0, 0
    green, below = np.empty(width, np.uint8), np.empty(width, np.uint8)
    for y in range(step // 2, height - 1, step):
        upper, lower = rgb[y], rgb[y + 1]
        for x in range(width):
            green[x], below[x] = upper[x, 1], lower[x, 1]
        edge += _jumps(green, 8)
        other += _jumps(green, 4)
        n_edge += len(range(8, width - 2, 8))
        n_other += len(range(4, width - 2, 8))
        left, here, right, under = green[1 : width - 3], green[2 : width - 2], green[3 : width - 1], below[2 : width - 2]
        lit_here, flat_here = np.int32(0), np.int32(0)
        for x in range(here.shape[0]):
            bright = here[x] >= SURROUND
            lit_here = np.int32(lit_here + bright)
            same = (here[x] == left[x]) & (here[x] == under[x]) & (here[x] == right[x])
            flat_here = np.int32(flat_here + (bright & same))
        lit += lit_here
        flat += flat_here
    out = np.zeros(3)
    out[0], out[1], out[2] = edge / max(n_edge, 1), other / max(n_other, 1), flat / max(lit, 1)
    return out


@njit(cache=True, nogil=True)
def _jumps(row: np.ndarray, first: int) -> int:
    """Sum of second differences over every eighth place of a row of levels, from `first` on."""
    total = 0
    for x in range(first, row.shape[0] - 2, 8):
        total += abs(3 * (np.int32(row[x]) - np.int32(row[x - 1])) - (np.int32(row[x + 1]) - np.int32(row[x - 2])))
    return int(total)


@njit(cache=True, nogil=True)
def lines(grey: np.ndarray, reach: int, hair: int, printed: int) -> np.ndarray:
    """(h, w) uint8 of thin lines: bit 1 where `hair` levels darker than both sides at `reach`, 2 and 4 where `printed` darker, lighter.

    Along the diagonals it is enough where a row or a column shows half of it. Both depths are 2 or more: differences stop at 0.
    """
    (height, width), r, out = grey.shape, (reach * 3 + 2) // 4, np.zeros(grey.shape, np.uint8)
    if min(height, width) <= 2 * reach:
        return out
    # Rows one behind the other, which is one long loop: what it makes of their ends is wiped away.
    flat, rim = grey.ravel(), reach * width + reach
    size = flat.size - 2 * rim
    found, sides = out.ravel()[rim : rim + size], np.empty((4, size), np.uint8)
    for n, (one, other) in enumerate(((reach, reach * width), (r * width + r, r * width - r))):
        a, b = flat[rim - one : rim - one + size], flat[rim + one : rim + one + size]
        c, d = flat[rim - other : rim - other + size], flat[rim + other : rim + other + size]
        _darker_side(a, b, c, d, sides[n])
        _lighter_side(a, b, c, d, sides[2 + n])
    _marked(flat[rim : rim + size], sides[0], sides[1], hair, printed, found)
    _marked_lighter(flat[rim : rim + size], sides[2], sides[3], printed, found)
    out[:, :reach] = 0
    out[:, width - reach :] = 0
    return out


@njit(cache=True, nogil=True)
def _darker_side(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, out: np.ndarray) -> None:
    """The darker of two sides, of a | b or c | d, whichever is lighter: what a dark line between them stands out from."""
    for x in range(out.size):
        out[x] = max(min(a[x], b[x]), min(c[x], d[x]))


@njit(cache=True, nogil=True)
def _lighter_side(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, out: np.ndarray) -> None:
    for x in range(out.size):
        out[x] = min(max(a[x], b[x]), max(c[x], d[x]))


@njit(cache=True, nogil=True)
def _marked(here: np.ndarray, straight: np.ndarray, aslant: np.ndarray, hair: int, printed: int, out: np.ndarray) -> None:
    """Bits 1 and 2 of `lines`, and in 8 whether a row or a column shows half a hair."""
    half, deep, deeper = np.uint8(hair // 2), np.uint8(hair), np.uint8(printed)
    for x in range(out.size):
        across = np.uint8(max(straight[x], here[x]) - here[x])
        depth = np.uint8(max(across, np.uint8(max(aslant[x], here[x]) - here[x])))
        bits = np.uint8((depth >= deep) | np.uint8(np.uint8(depth >= deeper) << 1) | 8)
        out[x] = bits if across >= half else np.uint8(0)


@njit(cache=True, nogil=True)
def _marked_lighter(here: np.ndarray, straight: np.ndarray, aslant: np.ndarray, printed: int, out: np.ndarray) -> None:
    """Bit 4 of `lines` where bit 8 is not, which it takes away."""
    half, deep = np.uint8(printed // 2), np.uint8(printed)
    for x in range(out.size):
        across = np.uint8(here[x] - min(straight[x], here[x]))
        depth = np.uint8(max(across, np.uint8(here[x] - min(aslant[x], here[x]))))
        light = np.uint8(4) if (across >= half) & (depth >= deep) else np.uint8(0)
        out[x] = np.uint8(out[x] & 3) if out[x] & 8 else light


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
    counts, wanted = np.zeros(mask.shape[0], np.int64), np.uint8(bit)
    for y in range(mask.shape[0]):
        counts[y] = _having(mask[y], wanted)
    out, n = np.empty((counts.sum(), 2), np.int32), 0
    for y in range(mask.shape[0]):
        row = mask[y]
        for x in range(row.shape[0] if counts[y] else 0):
            if row[x] & wanted:
                out[n, 0], out[n, 1] = y, x
                n += 1
    return out


@njit(cache=True, nogil=True)
def _having(row: np.ndarray, bit: Any) -> int:
    count = np.int32(0)
    for x in range(row.shape[0]):
        count = np.int32(count + ((row[x] & bit) != 0))
    return int(count)


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
    rows, out = (height + 1) // 2, np.zeros(width)
    inside, allowed = max(width - 8, 0), share * rows
    steps = np.empty((rows, inside), np.uint8)
    for y in range(rows):
        _step(grey[2 * y], steps[y])
    # By halves: the level that more than the allowed rows do not exceed, in all columns at once.
    level, at_most, below = np.zeros(inside, np.uint8), np.empty(inside, np.uint16), np.zeros(inside, np.uint16)
    for bit in (128, 64, 32, 16, 8, 4, 2, 1):
        tried = level + np.uint8(bit - 1)
        _count(steps, tried, at_most)
        for x in range(inside):
            if at_most[x] <= allowed:
                level[x], below[x] = tried[x] + 1, at_most[x]
    _count(steps, level, at_most)
    for x in range(inside):
        count = np.int64(below[x])
        out[x + 4] = level[x] + (allowed - count) / (np.int64(at_most[x]) - count)
    return out


@njit(cache=True, nogil=True)
def _step(row: np.ndarray, out: np.ndarray) -> None:
    """The smaller of the differences at one and at four places around each place of a row."""
    a, b, c, d = row[3 : len(row) - 5], row[5 : len(row) - 3], row[: len(row) - 8], row[8:]
    for x in range(out.shape[0]):
        out[x] = min(np.uint8(max(a[x], b[x]) - min(a[x], b[x])), np.uint8(max(c[x], d[x]) - min(c[x], d[x])))


@njit(cache=True, nogil=True)
def _count(steps: np.ndarray, level: np.ndarray, out: np.ndarray) -> None:
    """(w,) in `out`: in each column of (h, w) steps, those that do not exceed its level."""
    out[:] = 0
    for y in range(steps.shape[0]):
        row = steps[y]
        for x in range(row.shape[0]):
            out[x] = np.uint16(out[x] + (row[x] <= level[x]))


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
    counts, width = np.zeros((2, 512), np.int64), lab.shape[1]
    for y in range(lab.shape[0]):
        row = lab[y]
        for x in range(width):
            # Neighbours are of one shade, and one count waits for the one before it: they are counted by turns.
            turn = np.uint32(x & 1) << 8
            lit = np.int64(row[x, 0] > least_light)
            counts[0, turn | np.uint32(row[x, 1])] += lit
            counts[1, turn | np.uint32(row[x, 2])] += lit
    middle_a, middle_b = _middle(counts[0, :256] + counts[0, 256:]), _middle(counts[1, :256] + counts[1, 256:])
    out = np.empty((lab.shape[0], width), np.uint8)
    for y in range(lab.shape[0]):
        row = lab[y]
        for x in range(width):
            a, b = np.int32(row[x, 1]) - middle_a, np.int32(row[x, 2]) - middle_b
            blue = (row[x, 2] < 126) & (b < -bluer) & (a < 18)
            out[y, x] = (row[x, 0] > least_light) & (blue | ((row[x, 1] < 122) & (a < -greener)))
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
