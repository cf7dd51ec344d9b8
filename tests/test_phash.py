"""Hashes equal the reference definition, and orientations come from one DCT."""

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from quality.phash import dhash, hashes, looks, orient, phash8
from quality.resample_kernels import lanczos, luminance


def picture(seed: int, height: int = 90, width: int = 120) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (7, 9, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("seed", range(12))
def test_hashes_are_those_of_imagehash(seed):
    rgb = picture(seed)
    assert int(phash8(rgb)[0]) == int(str(imagehash.phash(Image.fromarray(rgb))), 16)
    assert dhash(rgb) == int(str(imagehash.dhash(Image.fromarray(rgb))), 16)


def test_hashes_of_many_pictures_are_those_of_each():
    pictures = [picture(seed, *size) for seed, size in enumerate([(90, 120), (450, 600), (64, 48), (32, 32), (701, 523)] * 3)]
    eight, difference = hashes([looks(rgb) for rgb in pictures])
    assert np.array_equal(eight, [phash8(rgb) for rgb in pictures])
    assert difference.tolist() == [dhash(rgb) for rgb in pictures]


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


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from([(32, 32), (9, 8)]))
def test_the_compiled_reduction_is_pillows_to_the_bit(height, width, size):
    rgb = np.random.default_rng(height * 401 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    grey = Image.fromarray(rgb).convert("L")
    assert np.array_equal(luminance(rgb), np.asarray(grey))
    assert np.array_equal(lanczos(np.asarray(grey), *size), np.asarray(grey.resize(size, Image.Resampling.LANCZOS)))
