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
def tally(
    first: np.ndarray, last: np.ndarray, where: tuple, base: tuple, probe: tuple, crowd: int, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of `base` with at least so many consistent votes of one picture, and their votes.

    `first` and `last` (tables, k) bound the meetings of its k keypoints in each table; `where` are the tables' orders.
    """
    owner, turn, octave = base
    meetings = 0
    for t in range(len(where)):
        for k in range(first.shape[1]):
            size = last[t, k] - first[t, k]
            meetings += size if size <= crowd else 0
    votes, at = np.empty(meetings, np.int64), 0
    for t in range(len(where)):
        for k in range(first.shape[1]):
            if last[t, k] - first[t, k] > crowd:
                continue
            for place in where[t][first[t, k] : last[t, k]]:
                turned = int(((probe[0][k] - turn[place]) % 360.0) / 360.0 * TURNS) % TURNS
                scaled = min(max(octave[place] - probe[1][k] + OCTAVES // 2, 0), OCTAVES - 1)
                votes[at] = (np.int64(owner[place]) * TURNS + turned) * OCTAVES + scaled
                at += 1
    votes.sort()
    found, most, start = np.empty(meetings, np.int64), np.empty(meetings, np.int64), 0
    n = 0
    while start < meetings:
        picture, end = votes[start] // (TURNS * OCTAVES), start
        while end < meetings and votes[end] // (TURNS * OCTAVES) == picture:
            end += 1
        if end - start >= least:
            best = _consistent(votes[start:end])
            if best >= least:
                found[n], most[n] = picture, best
                n += 1
        start = end
    return found[:n].copy(), most[:n].copy()


@njit(cache=True, nogil=True)
def _consistent(votes: np.ndarray) -> int:
    """The most votes in two neighbouring bins of turn and two of scale: no edge of a bin may split them."""
    bins = np.zeros((TURNS, OCTAVES), np.int64)
    for vote in votes:
        bins[(vote // OCTAVES) % TURNS, vote % OCTAVES] += 1
    best = 0
    for turned in range(TURNS):
        other = (turned + 1) % TURNS
        for scaled in range(OCTAVES - 1):
            total = bins[turned, scaled] + bins[other, scaled] + bins[turned, scaled + 1] + bins[other, scaled + 1]
            best = max(best, total)
    return best
