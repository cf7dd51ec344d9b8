"""The inner loops of `quality.votes`, compiled by numba on first use; import it where they are needed."""

import numpy as np
from numba import njit

TURNS, OCTAVES = 12, 13
"""Bins of the turn between two keypoints (30 degrees each) and of their difference in octaves (-6 to 6)."""


@njit(cache=True, nogil=True)
def keys(descriptors: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """(n,) uint32 made of the chosen bits of (n, 4) uint64 descriptors."""
    out = np.empty(len(descriptors), np.uint32)
    for n in range(len(descriptors)):
        key = np.uint64(0)
        for bit in bits:
            key = (key << np.uint64(1)) | ((descriptors[n, bit >> 6] >> np.uint64(bit & 63)) & np.uint64(1))
        out[n] = np.uint32(key)
    return out


@njit(cache=True, nogil=True)
def places(of: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Counting sort of (n,) uint32 keys of so many bits: the order (n,) int32, and where each key starts (2^bits + 1,)."""
    starts = np.zeros((1 << bits) + 1, np.int32)
    for key in of:
        starts[key + 1] += 1
    for n in range(1, starts.size):
        starts[n] += starts[n - 1]
    order = np.empty(of.size, np.int32)
    for n in range(of.size - 1, -1, -1):  # from the end, so that equal keys keep their order
        starts[of[n] + 1] -= 1
        order[starts[of[n] + 1]] = n
    # Every start has moved down by its own count, to that of the key before it.
    starts[:-1] = starts[1:]
    starts[-1] = of.size
    return order, starts


@njit(cache=True, nogil=True)
def tally(
    first: np.ndarray, last: np.ndarray, where: np.ndarray, base: tuple, probe: tuple, self: int, crowd: int, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of `base` that one picture gives at least so much consistent weight, and that weight.

    `first` and `last` (tables, k) bound the meetings of its k keypoints in each table; `where` are the tables' orders; `self` is the
    picture's own number. A meeting in a place of n counts 1/sqrt(n): rare looks tell more.
    """
    owner, turn, octave = base
    meetings = 0
    for t in range(len(where)):
        for k in range(first.shape[1]):
            size = last[t, k] - first[t, k]
            meetings += size if size <= crowd else 0
    bins, weights, at = np.empty(meetings, np.int64), np.empty(meetings, np.float64), 0
    for t in range(len(where)):
        for k in range(first.shape[1]):
            size = last[t, k] - first[t, k]
            if size > crowd:
                continue
            for place in where[t, first[t, k] : last[t, k]]:
                turned = int(((probe[0][k] - turn[place]) % 360.0) / 360.0 * TURNS) % TURNS
                scaled = min(max(octave[place] - probe[1][k] + OCTAVES // 2, 0), OCTAVES - 1)
                bins[at] = (np.int64(owner[place]) * TURNS + turned) * OCTAVES + scaled
                weights[at] = 1.0 / np.sqrt(size)
                at += 1
    order = np.argsort(bins, kind="mergesort")
    found, most, n, start = np.empty(meetings, np.int64), np.empty(meetings, np.float64), 0, 0
    while start < meetings:
        picture, end = bins[order[start]] // (TURNS * OCTAVES), start
        total = 0.0
        while end < meetings and bins[order[end]] // (TURNS * OCTAVES) == picture:
            total += weights[order[end]]
            end += 1
        if total >= least and picture != self:
            best = _consistent(bins[order[start:end]], weights[order[start:end]])
            if best >= least:
                found[n], most[n] = picture, best
                n += 1
        start = end
    return found[:n].copy(), most[:n].copy()


@njit(cache=True, nogil=True)
def _consistent(bins: np.ndarray, weights: np.ndarray) -> float:
    """The most weight in two neighbouring bins of turn and two of scale: no edge of a bin may split a copy's votes."""
    held = np.zeros((TURNS, OCTAVES), np.float64)
    for n in range(bins.size):
        held[(bins[n] // OCTAVES) % TURNS, bins[n] % OCTAVES] += weights[n]
    best = 0.0
    for turned in range(TURNS):
        other = (turned + 1) % TURNS
        for scaled in range(OCTAVES - 1):
            total = held[turned, scaled] + held[other, scaled] + held[turned, scaled + 1] + held[other, scaled + 1]
            best = max(best, total)
    return best
