"""An index over many unit vectors that names likely neighbours: cells around centres, of which a search reads the nearest few.

It is faiss's flat inverted file, kept in the 16 bits that the vectors have, so nothing is lost; measured against 32 bits it is half as
large and twice as fast. It preselects and decides nothing: `quality.cosines` computes every pair again. Neither the order of the vectors
nor the number of threads changes what it finds on one kind of processor: centres come from a sample that the vectors' content determines,
and every call of faiss sees a block of fixed size on one thread, several blocks at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import isqrt
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
R = TypeVar("R")

LISTS_PER_ROOT = 2
"""Cells over the root of the vectors. 200,000 vectors, 16 probes, two idle cores: 1 searches in 41 s after 1.5 s of training, 2 in 27 s
after 5 s, 4 in 21 s after 21 s."""

PROBES = 16
"""Cells that a search reads. In clusters of 200,000 vectors 1 finds .986 of the pairs, 4 all; where 8,000 of 40,000 are nearly alike, 4 find
.46 of the 32 nearest of each, 8 .66 and 16 .85 (`benchmarks/cosines.py`)."""

SAMPLE = 64
"""Vectors a cell in the sample that centres are trained on; faiss asks for 39 at least."""

ROUNDS = 10
"""Rounds of training, faiss's own number for an inverted file."""

SEED = 1234

BLOCK = 4096
"""Vectors that are given a cell at a time."""


def lists(count: int) -> int:
    """Cells for so many vectors."""
    return max(1, min(count, LISTS_PER_ROOT * isqrt(count)))


def build(vectors: np.ndarray) -> Any:
    """A faiss index of (n, d) float16 vectors of unit length; their rows are its ids.

    Memory: the vectors once more, and the sample in 32 bits (4·d·128·√n bytes: 117 MB for 200,000 of 512). Time: n · 2√n products,
    and the training on one thread.
    """
    import faiss

    count, width = vectors.shape
    quantizer = faiss.IndexFlatIP(width)
    kind, metric = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    index: Any = faiss.IndexIVFScalarQuantizer(quantizer, width, lists(count), kind, metric, False)
    index.nprobe = PROBES
    index.cp.seed, index.cp.niter, index.cp.spherical = SEED, ROUNDS, True
    # The sample has its size already: faiss shall neither thin it nor warn of a small one.
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, SAMPLE
    faiss.omp_set_num_threads(1)  # of this thread; `in_threads` sets its own
    index.train(_sample(vectors, SAMPLE * lists(count)).astype(np.float32))
    starts = range(0, count, BLOCK)
    cells = in_threads(lambda start: quantizer.assign(_wide(vectors, start), 1)[:, 0], starts)
    for start, cell in zip(starts, cells, strict=True):
        block = _wide(vectors, start)
        index.add_core(len(block), faiss.swig_ptr(block), None, faiss.swig_ptr(cell))
    return index


def _wide(vectors: np.ndarray, start: int) -> np.ndarray:
    return vectors[start : start + BLOCK].astype(np.float32)


def _sample(vectors: np.ndarray, size: int) -> np.ndarray:
    """The vectors of smallest hash, in its order: the same ones in whatever order all are given."""
    from xxhash import xxh3_64_intdigest

    hashes = np.fromiter((xxh3_64_intdigest(vector) for vector in np.ascontiguousarray(vectors)), np.uint64, len(vectors))
    return vectors[np.argsort(hashes, kind="stable")[:size]]


def likely(index: Any, block: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """(position in `block`, row) of pairs of about that product and more, in no order of use. `block` is (m, d) float16.

    Runs on the threads of its caller (`in_threads`): faiss's own would split the block, and with it the rounding.
    """
    limits, _, found = index.range_search(block.astype(np.float32), least)
    return np.repeat(np.arange(len(block)), np.diff(limits.astype(np.int64))), found


def in_threads(function: Callable[[T], R], pieces: Iterable[T]) -> Iterator[R]:
    """`function` of every piece, in order, on as many threads as torch would use; in each of them faiss has one thread.

    Memory: the results that the caller has not yet taken.
    """
    import faiss
    import torch

    with ThreadPoolExecutor(torch.get_num_threads(), initializer=faiss.omp_set_num_threads, initargs=(1,)) as pool:
        yield from pool.map(function, pieces)


def packed(index: Any) -> np.ndarray:
    """The index as (bytes,) uint8, to be shared between processes. Memory: as much again."""
    import faiss

    return faiss.serialize_index(index)


def unpacked(data: np.ndarray) -> Any:
    """The index that `packed` made; it reads the vectors where they lie in `data`, without a copy."""
    import faiss

    index = faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(data), data.nbytes))
    index.referenced_objects = [data]  # which must live as long
    return index
