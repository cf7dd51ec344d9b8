"""The inner loops of `quality.hamming`, compiled by numba on first use and kept on disk; import it where they are needed."""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic


def _popcount(_typing: Any, value: Any) -> Any:
    def build(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(value), build


popcount: Any = intrinsic(_popcount)
"""Bits set in an unsigned integer: one instruction of the processor."""


@njit(cache=True, nogil=True)
def rearranged(values: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """(n,) uint64 with their bits in another order; `moved` (8, 256) uint64 says where the bits of each byte value go."""
    out = np.empty_like(values)
    for n in range(values.size):
        value, result = values[n], np.uint64(0)
        for byte in range(8):
            result |= moved[byte, (value >> np.uint64(8 * byte)) & np.uint64(255)]
        out[n] = result
    return out


@njit(cache=True, nogil=True)
def sorted_by_blocks(values: np.ndarray, shifts: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counting sort by the chosen blocks of bits: where each bucket starts, the sorted values, and their positions before.

    Stable: within a bucket the order is that of `values`. Memory: 12 bytes a value, 4 bytes a bucket.
    """
    bits = 0
    for width in widths:
        bits += np.int64(width)
    starts = np.zeros((np.int64(1) << bits) + 1, np.int32)
    for n in range(values.size):
        starts[_key(values[n], shifts, widths) + 1] += 1
    for n in range(1, starts.size):
        starts[n] += starts[n - 1]
    at = starts[:-1].copy()
    ordered, where = np.empty_like(values), np.empty(values.size, np.int32)
    for n in range(values.size):
        key = _key(values[n], shifts, widths)
        ordered[at[key]], where[at[key]] = values[n], n
        at[key] += 1
    return starts, ordered, where


@njit(cache=True, nogil=True, inline="always")
def _key(value: np.uint64, shifts: np.ndarray, widths: np.ndarray) -> Any:
    key = np.uint64(0)
    for b in range(shifts.size):
        key = (key << widths[b]) | ((value >> shifts[b]) & ((np.uint64(1) << widths[b]) - np.uint64(1)))
    return np.int64(key)


@njit(cache=True, nogil=True)
def bucket_pairs(
    starts: np.ndarray, ordered: np.ndarray, where: np.ndarray, earlier: np.ndarray, radius: int, base: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (n, 2) int32 of positions within `radius` of each other in one bucket, and their distances (n,) uint8.

    `base` 0: every pair once. Otherwise positions below `base` are one side, the rest the other, and pairs are across. A pair that
    agrees on one of the `earlier` masks was found in that table already.
    """
    pairs, apart, found = np.empty((1024, 2), np.int32), np.empty(1024, np.uint8), 0
    for bucket in range(starts.size - 1):
        first, end = starts[bucket], starts[bucket + 1]
        if end - first < 2:
            continue
        middle = first
        while base and middle < end and where[middle] < base:
            middle += 1
        for i in range(first, middle if base else end):
            for j in range(middle if base else i + 1, end):
                different = ordered[i] ^ ordered[j]
                distance = popcount(different)
                if distance > np.uint64(radius):
                    continue
                new = True
                for mask in earlier:
                    if different & mask == np.uint64(0):
                        new = False
                        break
                if not new:
                    continue
                if found == apart.size:
                    more, further = np.empty((2 * found, 2), np.int32), np.empty(2 * found, np.uint8)
                    more[:found], further[:found] = pairs, apart
                    pairs, apart = more, further
                pairs[found, 0], pairs[found, 1], apart[found] = where[i], where[j], distance
                found += 1
    return pairs[:found].copy(), apart[:found].copy()


@njit(cache=True, nogil=True)
def matched(a: np.ndarray, b: np.ndarray, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of (n, 4) and (m, 4) uint64 descriptors that match: the nearest in b, nearer than `ratio` of the second, and mutual."""
    nearest, back = np.full(len(a), -1, np.int64), np.full(len(b), -1, np.int64)
    of_b = np.full(len(b), np.uint64(257))
    for i in range(len(a)):
        best, second = np.uint64(257), np.uint64(257)
        for j in range(len(b)):
            apart = np.uint64(0)
            for w in range(4):
                apart += popcount(a[i, w] ^ b[j, w])
            if apart < best:
                best, second, nearest[i] = apart, best, j
            elif apart < second:
                second = apart
            if apart < of_b[j]:
                of_b[j], back[j] = apart, i
        if best >= ratio * second:
            nearest[i] = -1
    left = np.array([i for i in range(len(a)) if nearest[i] >= 0 and back[nearest[i]] == i], np.int64)
    return left, nearest[left]
