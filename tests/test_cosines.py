"""Semantic pairs are exact, whatever the blocks, and come nearest first; an index and partitions change nothing but time."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cosines import planted
from pipelines import semantic
from pipelines.semantic import near_in_partitions
from quality import cells, cosines
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


@contextmanager
def always_indexed():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cosines, "on_gpu", lambda: False)
        patch.setattr(cosines, "index_pays", lambda vectors, rows: True)
        patch.setattr(semantic, "index_pays", cosines.index_pays)
        yield patch


def pairs(found) -> list[tuple[int, int, float]]:
    return list(zip(*(side.tolist() for side in found), strict=True))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(1, 300), st.integers(1, 12), st.sampled_from([7, 64, 4096]), st.sampled_from([4, 300])
)
def test_what_an_index_finds_are_exact_pairs_in_their_order(seed, count, families, block, probes):
    given_vectors, rows = vectors(seed, count, families), np.arange(0, count, 2)
    exact = pairs(near_vectors(given_vectors, rows, 0.95, count))
    with always_indexed() as patch:
        for module, name, value in ((cells, "BLOCK", block), (cosines, "BLOCK", block), (cells, "PROBES", probes)):
            patch.setattr(module, name, value)
        found = pairs(near_vectors(given_vectors, rows, 0.95, count))
    held = set(found)
    assert found == [pair for pair in exact if pair in held]
    if probes == 300:  # every cell
        assert found == exact


@pytest.fixture(scope="module")
def clustered() -> np.ndarray:
    return planted(20_000, 128)


def test_an_index_finds_planted_copies(clustered):
    rows = np.arange(len(clustered))
    exact = pairs(near_vectors(clustered, rows, 0.95, 32))
    with always_indexed():
        found = pairs(near_vectors(clustered, rows, 0.95, 32))
    assert len(exact) >= 0.9 * 2 * 400  # a copy planted at .95 may lie a hair below
    assert set(found) <= set(exact)
    assert len(found) >= 0.99 * len(exact)


def test_threads_change_nothing(clustered):
    results, before = [], torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        with always_indexed():
            results.append(pairs(near_vectors(clustered, np.arange(len(clustered)), 0.8, 32)))
    torch.set_num_threads(before)
    assert results[0] == results[1]


def test_the_order_of_pictures_changes_nothing(clustered):
    shuffled = np.random.default_rng(3).permutation(len(clustered))
    rows = np.arange(len(clustered))
    with always_indexed():
        found = pairs(near_vectors(clustered, rows, 0.9, 32))
        turned = pairs(near_vectors(clustered[shuffled], rows, 0.9, 32))
    assert sorted((shuffled[i], shuffled[j], cosine) for i, j, cosine in turned) == sorted(found)


def test_an_index_is_made_where_it_pays():
    assert not cosines.index_pays(50_000, 50_000)
    assert cosines.index_pays(200_000, 200_000)
    assert not cosines.index_pays(10_000_000, 1_000)


@pytest.mark.parametrize("indexed", [False, True])
def test_partitions_find_what_one_piece_finds(clustered, indexed):
    rows = np.arange(0, len(clustered), 2)
    with always_indexed() as patch:
        patch.setattr(cosines, "index_pays", lambda vectors, rows: indexed)
        patch.setattr(semantic, "index_pays", cosines.index_pays)
        whole = pairs(near_in_partitions(clustered, rows, 0.9, 3))
        patch.setattr(semantic, "WHOLE", 10_000)
        patch.setattr(semantic, "PART", cosines.BLOCK)
        patch.setattr(semantic, "near_vectors", None)  # so that one piece would fail
        assert pairs(near_in_partitions(clustered, rows, 0.9, 3)) == whole
