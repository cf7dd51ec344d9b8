"""Semantic pairs are exact, whatever the blocks, and come nearest first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality import cosines
from quality.cosines import near_vectors


def vectors(seed: int, count: int, families: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(families, 24))[rng.integers(0, families, count)] + rng.normal(scale=0.1, size=(count, 24))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float16)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 120), st.integers(1, 12), st.sampled_from([7, 64, 4096]), st.integers(1, 40))
def test_pairs_are_those_of_brute_force(seed, count, families, block, partners):
    given_vectors = vectors(seed, count, families)
    rows = np.arange(0, count, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cosines, "BLOCK", block)
        found = [tuple(row) for row in np.stack(near_vectors(given_vectors, rows, 0.95, partners), axis=1).tolist()]
    wide = given_vectors.astype(np.float64)
    wanted = []
    for i in rows:
        near = [(-round(float(wide[i] @ wide[j]), 6), j) for j in range(count) if j != i]
        wanted += [(i, j, -c) for c, j in sorted(pair for pair in near if -pair[0] >= 0.95)[:partners]]
    assert [(i, j) for i, j, _ in found] == [(i, j) for i, j, _ in wanted]
    assert np.allclose([c for _, _, c in found], [c for _, _, c in wanted], atol=2e-6)


def test_nothing_to_compare():
    assert all(len(side) == 0 for side in near_vectors(vectors(1, 3, 2), np.empty(0, np.int64), 0.9, 5))
