"""Pairs of unit vectors above a cosine: each pair that is found is exact in value, and their order is fixed.

A product of 32-bit floats is rounded in an order that depends on the machine. So a search only preselects with a margin, and each pair that
is left is computed again in 64 bits, in a fixed order. Preselection is exact (blocked products of all pairs) on a GPU, and on the CPU as
long as that takes seconds; beyond, an index over cells (`quality.cells`) preselects, and may miss pairs.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from quality import cells

BLOCK = 4096
"""Vectors a side of a block: 64 MB of cosines."""

MARGIN = 2e-3
"""Far above what 32-bit rounding does to a cosine of a few hundred to a few thousand numbers."""

EXACT_PRODUCTS = 2_500_000_000
"""Products up to which the CPU computes all: 50,000 vectors of 512 numbers with each other, 19 s on two idle cores (200,000: 319 s)."""

ROWS_PER_LIST = 2
"""Rows over cells up to which all products cost about what making the index does: an estimate for one to ten million vectors."""

PAIRS = 16_384
"""Pairs computed again at a time: 128 MB in 64 bits, of 512 numbers."""

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def near_vectors(vectors: np.ndarray, rows: np.ndarray, least: float, partners: int) -> Pairs:
    """(i, j, cosine): for each of `rows` the vectors of at least that cosine, the nearest first, at most `partners`; never itself.

    `vectors` is (n, d) float16 of unit length. Memory: a few blocks, and the pairs of one block of rows a thread; with an index, the
    vectors once more.
    """
    index = cells.build(vectors) if not on_gpu() and index_pays(len(vectors), len(rows)) else None
    return near_rows(vectors, rows, least, partners, index)


def on_gpu() -> bool:
    """Whether this process has a GPU to search on."""
    import torch

    return torch.cuda.is_available()


def index_pays(vectors: int, rows: int) -> bool:
    """Whether the CPU looks for so many rows among so many vectors with an index: too many products, and more than the index costs."""
    return rows * vectors > EXACT_PRODUCTS and rows > ROWS_PER_LIST * cells.lists(vectors)


def near_rows(vectors: np.ndarray, rows: np.ndarray, least: float, partners: int, index: Any | None) -> Pairs:
    """As `near_vectors`, by an index over `vectors`, or by all products without one.

    Rows may be cut into parts of whole blocks: the parts' results, one after the other, are the result of all.
    """

    def nearest(start: int) -> Pairs:
        some = rows[start : start + BLOCK]
        exact = index is None
        i, j = _products(vectors, some, least - MARGIN) if exact else cells.likely(index, vectors[some], least - MARGIN)
        return _nearest(vectors, some[i], j, least, partners)

    starts = range(0, len(rows), BLOCK)
    kept = map(nearest, starts) if index is None else cells.in_threads(nearest, starts)
    none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    return tuple(np.concatenate(side) for side in zip(none, *kept, strict=True))  # type: ignore[return-value]


def _nearest(vectors: np.ndarray, i: np.ndarray, j: np.ndarray, least: float, partners: int) -> Pairs:
    """Of preselected pairs those that hold, by row and from the nearest."""
    i, j = i[i != j], j[i != j]
    cosine = _cosines(vectors, i, j)
    i, j, cosine = i[cosine >= least], j[cosine >= least], cosine[cosine >= least]
    order = np.lexsort((j, -cosine, i))
    i, j, cosine = i[order], j[order], cosine[order]
    nearest = np.arange(len(i)) - np.searchsorted(i, i, "left") < partners
    return i[nearest], j[nearest], cosine[nearest]


def _cosines(vectors: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Cosines in 64 bits, rounded to six digits."""
    found = np.empty(len(i))
    for start in range(0, len(i), PAIRS):
        part = slice(start, start + PAIRS)
        left, right = vectors[i[part]].astype(np.float64), vectors[j[part]].astype(np.float64)
        found[part] = np.einsum("ij,ij->i", left, right).round(6)
    return found


def _products(vectors: np.ndarray, some: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """(position in `some`, row) of products of at least so much, block by block."""
    pairs = list(_blocks(vectors, some, least))
    i, j = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    return i, j


def _blocks(vectors: np.ndarray, some: np.ndarray, least: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    import torch

    device = "cuda" if on_gpu() else "cpu"
    left = torch.from_numpy(vectors[some].astype(np.float32)).to(device)
    for start in range(0, len(vectors), BLOCK):
        right = torch.from_numpy(vectors[start : start + BLOCK].astype(np.float32)).to(device)
        i, j = torch.nonzero(left @ right.T >= least, as_tuple=True)
        yield i.cpu().numpy(), j.cpu().numpy() + start
