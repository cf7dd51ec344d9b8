"""Photometric verification: real copies pass, real look-alikes do not."""

import csv
import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from quality.copies import same_photograph, signature
from quality.phash import orient
from quality.raster import decode
from quality.thresholds import SAME_PHOTOGRAPH
from sources import phantom


def jpeg(rgb: np.ndarray, quality: int) -> np.ndarray:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=quality)
    return decode(out.getvalue()).rgb


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return decode(phantom.render("L0003-v0.jpg")).rgb


@pytest.mark.parametrize(
    "change",
    [
        lambda p: jpeg(p, 40),
        lambda p: cv2.resize(p, (150, 120)),
        lambda p: np.clip(p * [1.1, 0.95, 0.85] + 8, 0, 255).astype(np.uint8),
    ],
)
def test_recompressed_resized_and_tinted_copies_are_copies(picture, change):
    assert same_photograph(signature(picture), signature(change(picture))) >= SAME_PHOTOGRAPH


@pytest.mark.parametrize("k", range(1, 8))
def test_a_turned_copy_is_one_in_its_orientation(picture, k):
    assert same_photograph(signature(orient(picture, k)), signature(orient(jpeg(picture, 80), k))) >= SAME_PHOTOGRAPH


def test_a_flat_picture_matches_nothing():
    flat = signature(np.full((50, 50, 3), 100, np.uint8))
    assert same_photograph(flat, flat) == 0.0


def ham(real_data: Path) -> dict[str, tuple[Path, str]]:
    found = {}
    for part in (1, 2):
        path = real_data / "mirror" / "ham10000" / f"HAM10000_images_part_{part}.zip"
        found |= {name: (path, name) for name in zipfile.ZipFile(path).namelist()}
    return found


def test_published_look_alikes_are_not_copies(real_data):
    held = ham(real_data)
    pairs = list(csv.DictReader((real_data / "truth" / "ham10000_lookalikes.csv").open()))
    tested = 0
    for row in pairs:
        if row["from_img"] in held and row["to_img"] in held:
            a, b = (decode(zipfile.ZipFile(held[row[c]][0]).read(row[c])).rgb for c in ("from_img", "to_img"))
            assert same_photograph(signature(a), signature(b)) < SAME_PHOTOGRAPH
            tested += 1
    assert tested == sum({row["from_img"], row["to_img"]} <= set(held) for row in pairs)


def test_real_resized_photographs_are_copies_of_their_originals(real_data):
    originals = zipfile.ZipFile(real_data / "mirror" / "pad_ufes_20" / "imgs_part_1.zip")
    place = {Path(name).name: name for name in originals.namelist()}
    with zipfile.ZipFile(real_data / "truth" / "pad_ufes_20_resized_copies.zip") as copies:
        names = [name for name in copies.namelist() if Path(name).name in place]
        assert len(names) == 6
        for name in names:
            a = decode(originals.read(place[Path(name).name])).rgb
            assert same_photograph(signature(a), signature(decode(copies.read(name)).rgb)) >= SAME_PHOTOGRAPH
