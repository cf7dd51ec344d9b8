"""Perceptual hashes, and the exact Hamming join over them.

The stored hash is the definition of `imagehash.phash` (8 x 8, DCT of a 32 x 32 Lanczos luminance), after pictures whose shorter side
has 256 pixels or more were shrunk by a whole factor: bit for bit imagehash's below that size; above it 0.3 bits away on average and 4
at most on 456 real photographs (a test compares). It costs a tenth of a decode instead of a third.
All eight orientations come from one DCT: a flip changes the sign of odd coefficients, a transpose swaps them.
"""

from collections.abc import Iterator
from itertools import combinations
from math import comb

import numpy as np

ALGORITHM = "imagehash-phash-8/2"
SHRUNK_TO = 128
"""Pixels of the shorter side, at least, to which larger pictures are shrunk: four times what the hash looks at."""

SIDE, LOW = 32, 8

_BITS = np.uint64(1) << np.arange(63, -1, -1, dtype=np.uint64)
_SIGNS = np.where(np.arange(LOW) % 2, -1.0, 1.0)
_FLIPS = np.stack(
    [(_SIGNS if k & 2 else np.ones(LOW))[:, None] * (_SIGNS if k & 1 else np.ones(LOW))[None, :] for k in range(8)]
)
"""Signs of the coefficients in each orientation: a flip turns the odd ones over."""


def phash8(pixels: np.ndarray) -> np.ndarray:
    """Eight uint64 pHashes of an (h, w, 3) uint8 raster or of its `shrunk` luminance; entry k is that of `orient(rgb, k)`."""
    from scipy.fft import dct

    low = np.asarray(dct(dct(_grey(pixels, (SIDE, SIDE)), axis=0), axis=1))[:LOW, :LOW]
    turned = np.stack([low, low.T])[[0, 0, 0, 0, 1, 1, 1, 1]] * _FLIPS
    # The mean of the two middle values: what np.median gives, without its checks for NaN.
    middle = np.partition(turned.reshape(8, LOW * LOW), (31, 32), axis=1)[:, 31:33].mean(axis=1)
    return ((turned > middle[:, None, None]).reshape(8, LOW * LOW) * _BITS).sum(axis=1, dtype=np.uint64)


def orient(rgb: np.ndarray, k: int) -> np.ndarray:
    """Orientation k of a raster: transposed if k & 4, then upside down if k & 2, then mirrored left to right if k & 1."""
    out = rgb.swapaxes(0, 1) if k & 4 else rgb
    out = out[::-1] if k & 2 else out
    return np.ascontiguousarray(out[:, ::-1] if k & 1 else out)


def dhash(pixels: np.ndarray) -> int:
    """64-bit difference hash, the definition of `imagehash.dhash`."""
    grey = _grey(pixels, (9, 8))
    return int(_BITS[(grey[:, 1:] > grey[:, :-1]).ravel()].sum(dtype=np.uint64))


def shrunk(rgb: np.ndarray) -> np.ndarray:
    """The luminance (h, w) uint8 of a raster; where the shorter side has twice `SHRUNK_TO`, made smaller by a whole factor.

    What the hashes look at: computed once where several are wanted.
    """
    from PIL import Image

    height, width = rgb.shape[:2]
    factor = min(height, width) // SHRUNK_TO
    if factor < 2:
        return np.asarray(Image.fromarray(rgb).convert("L"))
    import cv2

    # OpenCV weighs the colours as Pillow does, in a tenth of the time, and is fast where a whole factor divides: a rim is cut off.
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    top, left = height % factor, width % factor
    grey = grey[top // 2 : height - (top - top // 2), left // 2 : width - (left - left // 2)]
    return cv2.resize(grey, (width // factor, height // factor), interpolation=cv2.INTER_AREA)


def _grey(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    from PIL import Image

    luminance = pixels if pixels.ndim == 2 else shrunk(pixels)
    return np.asarray(Image.fromarray(luminance).resize(size, Image.Resampling.LANCZOS), dtype=np.float64)


def near_pairs(base: np.ndarray, probe: np.ndarray | None = None, radius: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pair within a Hamming `radius`: (i, j, distance), i < j inside `base`, or i of `base` and j of `probe`.

    Exact by the pigeonhole principle: the 64 bits are cut into radius + k blocks, and two hashes that close agree on at least k of
    them. Memory: the pairs, and 2^22 comparisons at a time.
    """
    values = base if probe is None else np.concatenate([base, probe])
    distinct, inverse = np.unique(values, return_inverse=True)
    members = np.argsort(inverse, kind="stable")
    starts = np.searchsorted(inverse[members], np.arange(len(distinct) + 1))
    shared = np.flatnonzero(np.diff(starts) > 1)
    pairs = [np.stack([shared, shared]), *_distinct_pairs(distinct, radius)]
    u, v = np.concatenate(pairs, axis=1)
    return _expand(u, v, distinct, members, starts, None if probe is None else len(base))


def _distinct_pairs(values: np.ndarray, radius: int) -> Iterator[np.ndarray]:
    """Index pairs (2, n), u < v, of different values within `radius`; each pair once, from the first table in which it matches."""
    if radius < 1 or len(values) < 2:
        return
    masks = _masks(len(values), radius)
    for n, mask in enumerate(masks):
        keys = values & mask
        order = np.argsort(keys, kind="stable")
        for u, v in _equal_runs(keys[order]):
            a, b = np.minimum(order[u], order[v]), np.maximum(order[u], order[v])
            apart = values[a] ^ values[b]
            close = np.bitwise_count(apart) <= radius
            for earlier in masks[:n]:
                close &= (apart & earlier) != 0
            yield np.stack([a[close], b[close]])


def _masks(count: int, radius: int) -> list[np.uint64]:
    """Bit masks of the tables: k of radius + k blocks, for the smallest k whose buckets stay small (dedup facts: 2^(64k/(r+k)) > N/100)."""
    k = next((k for k in range(1, 9) if 2 ** (64 * k / (radius + k)) > count / 100 and comb(radius + k, k) < 512), 1)
    blocks = radius + k
    edges = [round(64 * n / blocks) for n in range(blocks + 1)]
    parts = [((1 << (edges[n + 1] - edges[n])) - 1) << edges[n] for n in range(blocks)]
    return [np.uint64(sum(parts[n] for n in chosen)) for chosen in combinations(range(blocks), k)]


def _equal_runs(keys: np.ndarray, most: int = 1 << 22) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Position pairs inside runs of equal sorted keys, by their gap (1, 2, ...), at most `most` at a time."""
    remaining = np.arange(len(keys) - 1)
    gap = 1
    while len(remaining):
        remaining = remaining[remaining + gap < len(keys)]
        remaining = remaining[keys[remaining] == keys[remaining + gap]]
        for start in range(0, len(remaining), most):
            chunk = remaining[start : start + most]
            yield chunk, chunk + gap
        gap += 1


def _expand(
    u: np.ndarray, v: np.ndarray, distinct: np.ndarray, members: np.ndarray, starts: np.ndarray, base: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From pairs of distinct values to pairs of the items that have them, sorted."""
    sizes = np.diff(starts)
    grids = sizes[u] * sizes[v]
    pair = np.repeat(np.arange(len(u)), grids)
    cell = np.arange(len(pair)) - np.repeat(np.cumsum(grids) - grids, grids)
    row, column = np.divmod(cell, sizes[v][pair])
    i, j = members[starts[u][pair] + row], members[starts[v][pair] + column]
    # A value with itself gives each pair of items twice.
    once = (u != v)[pair] | (i < j)
    i, j, pair = np.minimum(i, j)[once], np.maximum(i, j)[once], pair[once]
    if base is not None:
        across = (i < base) & (j >= base)
        i, j, pair = i[across], j[across] - base, pair[across]
    order = np.lexsort((j, i))
    distance = np.bitwise_count(distinct[u] ^ distinct[v]).astype(np.int64)
    return i[order], j[order], distance[pair][order]
