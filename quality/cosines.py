"""Pairs of unit vectors above a cosine, exactly: blocked products on a GPU where there is one, on the CPU otherwise, with one result.

A product of 32-bit floats is rounded in an order that depends on the machine. So blocks only preselect with a margin, and each pair that is
left is computed again in 64 bits, in a fixed order.
"""

from collections.abc import Iterator

import numpy as np

BLOCK = 4096
"""Vectors a side of a block: 64 MB of cosines."""

MARGIN = 2e-3
"""Far above what 32-bit rounding does to a cosine of a few hundred to a few thousand numbers."""


def near_vectors(
    vectors: np.ndarray, rows: np.ndarray, least: float, partners: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(i, j, cosine): for each of `rows` the vectors of at least that cosine, the nearest first, at most `partners`; never itself.

    `vectors` is (n, d) float16 of unit length. Memory: a few blocks, and the pairs of one block of rows.
    """
    kept = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for start in range(0, len(rows), BLOCK):
        some = rows[start : start + BLOCK]
        found = list(_preselected(vectors, some, least - MARGIN))
        i, j = (np.concatenate([pair[side] for pair in found]) for side in (0, 1))
        i, j = some[i][some[i] != j], j[some[i] != j]
        cosine = np.einsum("ij,ij->i", vectors[i].astype(np.float64), vectors[j].astype(np.float64)).round(6)
        i, j, cosine = i[cosine >= least], j[cosine >= least], cosine[cosine >= least]
        order = np.lexsort((j, -cosine, i))
        i, j, cosine = i[order], j[order], cosine[order]
        first = np.searchsorted(i, i, "left")
        nearest = np.arange(len(i)) - first < partners
        kept.append((i[nearest], j[nearest], cosine[nearest]))
    return tuple(np.concatenate(side) for side in zip(*kept, strict=True))  # type: ignore[return-value]


def _preselected(vectors: np.ndarray, some: np.ndarray, least: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(position in `some`, row) of products of at least so much, block by block."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    left = torch.from_numpy(vectors[some].astype(np.float32)).to(device)
    for start in range(0, len(vectors), BLOCK):
        right = torch.from_numpy(vectors[start : start + BLOCK].astype(np.float32)).to(device)
        i, j = torch.nonzero(left @ right.T >= least, as_tuple=True)
        yield i.cpu().numpy(), j.cpu().numpy() + start
