"""What a set adds in the space of embeddings: how near the nearest image of any other set lies.

Here: cosines of vectors that are given. Which pairs are proved copies is another question (`quality.copies`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

SAMPLE = 2_000
"""Images of a source that are asked: a share among 2,000 is known within 0.02 (two standard errors)."""

BLOCK = 8_192
"""Vectors of other sources in one matrix product: 64 MB of cosines at most."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How far a source lies from all others: images asked, the share without a neighbour above the limit, the median nearest cosine."""

    asked: int
    novel: float
    median: float


def distances(vectors: Mapping[str, np.ndarray], limit: float) -> dict[str, Distance]:
    """By source, from L2-normalised vectors (n × dim); empty with fewer than two sources.

    The first `SAMPLE` vectors of a source are asked: the caller gives them in an order that says nothing about the pictures.
    """
    if len(vectors) < 2:
        return {}
    return {
        name: _distance(vectors[name][:SAMPLE], [v for other, v in sorted(vectors.items()) if other != name], limit)
        for name in sorted(vectors)
    }


def _distance(asked: np.ndarray, others: list[np.ndarray], limit: float) -> Distance:
    nearest = np.full(len(asked), -1.0, np.float32)
    for other in others:
        for start in range(0, len(other), BLOCK):
            block = other[start : start + BLOCK].astype(np.float32)
            nearest = np.maximum(nearest, (asked.astype(np.float32) @ block.T).max(axis=1))
    return Distance(len(asked), round(float((nearest < limit).mean()), 3), round(float(np.median(nearest)), 3))
