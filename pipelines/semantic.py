"""Pairs of like embeddings: in one piece up to ten million vectors, beyond that as Ray tasks over parts of the rows, with one result.

Vectors, and the index where one is used, are put into Ray's object store once; every task on a machine reads them there without a copy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.workers import gpus, map_in_order
from quality import cells
from quality.cosines import BLOCK, Pairs, index_pays, near_rows, near_vectors

WHOLE = 10_000_000
"""Vectors up to which one process searches: 10 GB at 512 numbers, and as much again for an index."""

PART = 16 * BLOCK
"""Rows a task looks for: whole blocks, so that no product is rounded otherwise than in one piece; about a minute among ten million (estimate)."""


@dataclass(frozen=True, slots=True)
class NearJob:
    """Rows whose neighbours a task finds; vectors and packed index (or None) are references into the object store."""

    vectors: Any
    index: Any | None
    rows: np.ndarray
    least: float
    partners: int


def near_in_partitions(vectors: np.ndarray, rows: np.ndarray, least: float, partners: int) -> Pairs:
    """As `quality.cosines.near_vectors`, for any number of vectors.

    Memory beyond `WHOLE`: the vectors here and in the store; without a GPU an index of the same size too, and for a moment a copy of it.
    With GPUs in the cluster each task has one and computes all products.
    """
    if len(vectors) <= WHOLE or len(rows) <= PART:
        return near_vectors(vectors, rows, least, partners)
    found_gpus = gpus()
    parts = map_in_order(near_batch, _jobs(vectors, rows, least, partners, indexed=not found_gpus), gpus=min(1, found_gpus))
    return tuple(np.concatenate(side) for side in zip(*parts, strict=True))  # type: ignore[return-value]


def _jobs(vectors: np.ndarray, rows: np.ndarray, least: float, partners: int, *, indexed: bool) -> Iterator[NearJob]:
    import ray

    index = None
    if indexed and index_pays(len(vectors), len(rows)):
        index = ray.put(cells.packed(cells.build(vectors)))
    shared = ray.put(vectors)
    for start in range(0, len(rows), PART):
        yield NearJob(shared, index, rows[start : start + PART], least, partners)


def near_batch(job: NearJob) -> Pairs:
    """The pairs of a job's rows. Runs in a worker."""
    import ray

    vectors: Any = ray.get(job.vectors)
    index = None if job.index is None else cells.unpacked(ray.get(job.index))
    return near_rows(vectors, job.rows, job.least, job.partners, index)
