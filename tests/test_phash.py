"""Hashes equal the reference definition, and orientations come from one DCT."""

import cv2
import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from quality.phash import dhash, hashes, looks, orient, phash8
from quality.resample_kernels import area, lanczos, luminance


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


@settings(max_examples=60, deadline=None)
@given(st.integers(40, 330), st.integers(40, 330), st.integers(2, 40), st.sampled_from([0, 2, 6]))
def test_the_compiled_area_mean_is_opencvs_to_the_bit(height, width, factor, shift):
    rgb = np.random.default_rng(height * 331 + width).integers(0, 256, (height, width, 3), dtype=np.uint8) >> shift
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[height % factor // 2 :, width % factor // 2 :]
    cut = grey[: height // factor * factor, : width // factor * factor]
    assert np.array_equal(area(rgb, factor), cv2.resize(cut, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA))
