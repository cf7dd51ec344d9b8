"""Hashes equal the reference definition, orientations come from one DCT, and the Hamming join is exact."""

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from quality.phash import dhash, near_pairs, orient, phash8


def picture(seed: int, height: int = 90, width: int = 120) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (7, 9, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("seed", range(12))
def test_hashes_are_those_of_imagehash(seed):
    rgb = picture(seed)
    assert int(phash8(rgb)[0]) == int(str(imagehash.phash(Image.fromarray(rgb))), 16)
    assert dhash(rgb) == int(str(imagehash.dhash(Image.fromarray(rgb))), 16)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("k", range(8))
def test_orientation_k_is_the_hash_of_the_turned_picture(seed, k):
    rgb = picture(seed)
    turned = phash8(orient(rgb, k))[0]
    assert int(np.bitwise_count(phash8(rgb)[k] ^ turned)) <= 2


def test_the_eight_orientations_are_the_dihedral_group():
    rgb = picture(1)
    seen = {orient(rgb, k).tobytes() for k in range(8)}
    wanted = {np.ascontiguousarray(np.rot90(m, n)).tobytes() for m in (rgb, rgb[:, ::-1]) for n in range(4)}
    assert seen == wanted


def brute(base, probe, radius):
    found = set()
    for i, a in enumerate(base):
        for j, b in enumerate(base if probe is None else probe):
            distance = int(a ^ b).bit_count()
            if distance <= radius and (probe is not None or i < j):
                found.add((i, j, distance))
    return found


near = st.lists(
    st.one_of(
        st.integers(0, 2**64 - 1),
        st.integers(0, 63).map(lambda bit: 1 << bit),
        st.tuples(st.integers(0, 63), st.integers(0, 63)).map(lambda bits: (1 << bits[0]) ^ (1 << bits[1])),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(near, st.one_of(st.none(), near), st.sampled_from([0, 1, 2, 3, 4, 8]))
def test_the_join_finds_exactly_what_brute_force_finds(base, probe, radius):
    left = np.array(base, dtype=np.uint64)
    right = None if probe is None else np.array(probe, dtype=np.uint64)
    found = list(zip(*(side.tolist() for side in near_pairs(left, right, radius)), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == brute(base, probe, radius)


def test_many_equal_hashes_are_all_paired_in_order():
    i, j, distance = near_pairs(np.full(1500, 7, dtype=np.uint64), None, 2)
    left, right = np.triu_indices(1500, 1)
    assert np.array_equal(i, left) and np.array_equal(j, right) and not distance.any()


def test_the_join_is_exact_when_more_blocks_are_needed():
    rng = np.random.default_rng(3)
    base = rng.integers(0, 2**63, 3000, dtype=np.uint64)
    near_copies = base[:200] ^ (np.uint64(1) << rng.integers(0, 63, 200, dtype=np.uint64))
    i, j, distance = near_pairs(np.concatenate([base, near_copies]), None, 8)
    pairs = set(zip(i.tolist(), j.tolist(), strict=True))
    assert {(n, 3000 + n) for n in range(200)} <= pairs
    assert (distance <= 8).all()
