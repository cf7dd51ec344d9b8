"""The exact Hamming join of 64-bit hashes: every pair within a radius, and no other.

By the pigeonhole principle: the 64 bits are cut into radius + k blocks, and two hashes that close agree on at least k of them; for
each choice of k blocks the hashes are sorted into buckets and compared inside them, and a pair is given by the first table in which
it meets. Bits that tell little (real hashes are skewed) are spread over the blocks. Nothing is sampled and nothing is capped.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, pairwise
from math import comb

import numpy as np

MOST_TABLES = 512
SAMPLE = 1 << 16
"""Hashes that are looked at to see which bits tell much."""


def near_pairs(base: np.ndarray, probe: np.ndarray | None = None, radius: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pair within a Hamming `radius` as (i, j, distance), sorted: i < j inside `base`, or i of `base` and j of `probe`.

    Inputs are (n,) uint64, fewer than 2^31 together. Memory: 32 bytes a hash and thread, and 34 bytes a pair found; equal hashes are
    all paired, so that n equal ones are n²/2 pairs: what is byte-identical is best collapsed before.
    """
    values = np.ascontiguousarray(base if probe is None else np.concatenate([base, probe]), dtype=np.uint64)
    if len(values) >= 1 << 31:
        raise ValueError(f"{len(values):,} hashes; at most {(1 << 31) - 1:,} are joined at once")
    border = 0 if probe is None else len(base)
    if len(values) < 2 or (probe is not None and (not border or border == len(values))):
        none = np.empty(0, np.int64)
        return none, none, none
    blocks, k = _blocks(len(values), radius)
    spread = _spread(values, blocks)
    tables = list(combinations(range(len(blocks)), k))
    masks = [_mask(blocks, chosen) for chosen in tables]
    with ThreadPoolExecutor(min(len(tables), os.cpu_count() or 1)) as pool:
        found = list(pool.map(lambda n: _table_pairs(spread, blocks, tables[n], masks[:n], radius, border), range(len(tables))))
    return _in_order([pairs for pairs, _ in found], [apart for _, apart in found], border, len(values))


def _blocks(count: int, radius: int) -> tuple[list[tuple[int, int]], int]:
    """(shift, width) of the radius + k blocks, for the smallest k whose buckets stay small: 2^(64k/(r+k)) > n/100."""
    if not 0 <= radius <= 63:
        raise ValueError(f"a Hamming radius of 64-bit hashes is 0 to 63, not {radius}")
    fits = (k for k in range(1, 9) if 2 ** (64 * k / (radius + k)) > count / 100 and comb(radius + k, k) <= MOST_TABLES)
    k = next(fits, 1)
    edges = [round(64 * n / (radius + k)) for n in range(radius + k + 1)]
    # More buckets than twice the hashes only cost memory: blocks may ignore some of their bits.
    widest = max(1, -(-(count.bit_length() + 1) // k))
    return [(low, min(high - low, widest)) for low, high in pairwise(edges)], k


def _mask(blocks: list[tuple[int, int]], chosen: tuple[int, ...]) -> int:
    return sum(((1 << blocks[n][1]) - 1) << blocks[n][0] for n in chosen)


def _spread(values: np.ndarray, blocks: list[tuple[int, int]]) -> np.ndarray:
    """The values with their bits dealt to the blocks, the most telling first, so that no block holds only dull ones."""
    from quality.hamming_kernels import rearranged

    sample = np.ascontiguousarray(values[:: max(1, len(values) // SAMPLE)])
    share = np.unpackbits(sample.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little").mean(axis=0)
    telling = np.argsort(np.abs(share - 0.5), kind="stable")
    rounds = range(max(width for _, width in blocks))
    places = [shift + n for n in rounds for shift, width in blocks[:: 1 if n % 2 else -1] if n < width]
    places += sorted(set(range(64)) - set(places))
    moved = np.zeros((8, 256), np.uint64)
    for bit, place in zip(telling.tolist(), places, strict=True):
        has = (np.arange(256) >> (bit % 8) & 1).astype(np.uint64)
        moved[bit // 8] |= has << np.uint64(place)
    return rearranged(values, moved)


def _table_pairs(
    values: np.ndarray, blocks: list[tuple[int, int]], chosen: tuple[int, ...], earlier: list[int], radius: int, border: int
) -> tuple[np.ndarray, np.ndarray]:
    from quality.hamming_kernels import bucket_pairs, sorted_by_blocks

    shifts = np.array([blocks[n][0] for n in chosen], np.uint64)
    widths = np.array([blocks[n][1] for n in chosen], np.uint64)
    starts, ordered, where = sorted_by_blocks(values, shifts, widths)
    return bucket_pairs(starts, ordered, where, np.array(earlier, np.uint64), radius, border)


def _in_order(
    pairs: list[np.ndarray], apart: list[np.ndarray], border: int, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    both = np.concatenate(pairs).astype(np.int64)
    low, high = both.min(axis=1), both.max(axis=1)
    order = np.argsort(low * count + high, kind="stable")
    return low[order], high[order] - border, np.concatenate(apart)[order].astype(np.int64)
