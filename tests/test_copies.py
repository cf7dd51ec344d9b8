"""Copies are proved in every kind that people make of photographs, look-alikes are spared, and overlays prove nothing."""

import csv
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.transforms import TRANSFORMS, framed, with_ruler
from quality import phash, votes
from quality.copies import Verdict, verdict
from quality.geometry import Fit, fit
from quality.keypoints import features
from quality.raster import decode, luminance
from sources import phantom

PHOTOGRAPHS = 24


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {Path(name).name: archive.read(name) for name in sorted(archive.namelist()) if not name.endswith("/")}


@pytest.fixture(scope="module")
def photographs(real_data) -> list[np.ndarray]:
    """Real dermoscopic and clinical photographs, half of each."""
    ham = members(real_data / "mirror" / "ham10000" / "HAM10000_images_part_1.zip")
    pad = members(real_data / "mirror" / "pad_ufes_20" / "imgs_part_1.zip")
    half = PHOTOGRAPHS // 2
    chosen = [*sorted(ham)[:: len(ham) // half][:half], *sorted(pad)[:: len(pad) // half][:half]]
    return [decode({**ham, **pad}[name]).rgb for name in chosen]


@pytest.fixture(scope="module")
def found(photographs):
    return [features(picture) for picture in photographs]


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_every_kind_of_copy_is_proposed_and_proved(photographs, found, kind):
    changed = [TRANSFORMS[kind](p, np.random.default_rng(n)) for n, p in enumerate(photographs)]
    copies = [features(p) for p in changed]
    base = votes.voters([f.plain for f in found])
    proposed = set()
    for plain in (True, False):
        probe = votes.voters([f.plain if plain else f.mirrored for f in copies])
        # Numbers beyond the base: none of the copies is one of its pictures.
        i, j, _ = votes.proposed(base, probe, range(1000, 1000 + len(copies)))
        proposed |= set(zip((i - 1000).tolist(), j.tolist(), strict=True))
    missed = []
    for n, (a, b) in enumerate(zip(found, copies, strict=True)):
        near = [k for k in range(8) if (phash.phash8(photographs[n])[0] ^ phash.phash8(changed[n])[k]).bit_count() <= 4]
        fits = [fit(a, b, k) for k in {0, 1, *near}]
        if not ((n, n) in proposed or near) or Verdict.COPY not in {verdict(f) for f in fits}:
            missed.append((n, fits))
    assert len(missed) <= 1, missed


@pytest.mark.parametrize("kind", ["JPEG quality 20", "crop 20 %", "brighter", "hairs"])
def test_copies_of_drawn_lesions_are_proved_like_those_of_photographs(kind):
    drawn = [decode(phantom.render(f"L{n:04d}-v0.jpg")).rgb for n in range(20)]
    copies = [features(TRANSFORMS[kind](p, np.random.default_rng(n))) for n, p in enumerate(drawn)]
    verdicts = [verdict(fit(features(p), copy)) for p, copy in zip(drawn, copies, strict=True)]
    assert verdicts.count(Verdict.COPY) >= 19
    others = [verdict(fit(features(p), copy)) for p, copy in zip(drawn, copies[1:] + copies[:1], strict=True)]
    assert set(others) == {Verdict.DIFFERENT}


def test_strangers_are_never_joined_whatever_is_drawn_over_them(photographs):
    for change in (lambda p: p, with_ruler, framed):
        changed = [features(change(p)) for p in photographs]
        for n, a in enumerate(changed):
            for b in changed[n + 1 :]:
                assert verdict(fit(a, b)) == verdict(fit(a, b, 1)) == Verdict.DIFFERENT


def test_one_watermark_on_many_pictures_joins_none(photographs):
    marked = []
    for picture in photographs:
        large = cv2.resize(picture, (640, 480))
        cv2.putText(large, "www.skin-atlas.example", (60, 250), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255, 255, 255), 3, cv2.LINE_AA)
        marked.append(features(large))
    joined = [(a, b) for n, a in enumerate(marked) for b in marked[n + 1 :] if verdict(fit(a, b)) != Verdict.DIFFERENT]
    assert not joined


@pytest.mark.parametrize("k", range(8))
def test_the_orientation_of_a_copy_is_found(found, photographs, k):
    turned = features(phash.orient(photographs[0], phash.inverse(k)))
    same = fit(found[0], turned, k & 0 if not k.bit_count() & 1 else 1)
    assert (same.orientation, verdict(same)) == (k, Verdict.COPY)


@pytest.mark.parametrize("k", range(8))
def test_the_inverse_undoes_an_orientation(photographs, k):
    assert np.array_equal(phash.orient(phash.orient(photographs[0], k), phash.inverse(k)), photographs[0])


def test_a_flat_picture_matches_nothing():
    flat = features(np.full((50, 50, 3), 100, np.uint8))
    assert verdict(fit(flat, flat)) == Verdict.DIFFERENT


def test_keypoints_are_the_same_every_time(photographs):
    one, two = features(photographs[3]), features(photographs[3])
    assert np.array_equal(one.plain.places, two.plain.places)
    assert np.array_equal(one.mirrored.descriptors, two.mirrored.descriptors)


def test_a_large_jpeg_is_decoded_at_a_fraction_and_still_a_copy_of_itself(photographs):
    large = cv2.resize(photographs[-1], (2400, 1800), interpolation=cv2.INTER_CUBIC)
    data = cv2.imencode(".jpg", large[:, :, ::-1])[1].tobytes()
    small = luminance(data, 256)
    assert 256 <= min(small.shape) < 900
    assert verdict(fit(features(small), features(decode(data).rgb))) == Verdict.COPY


def test_where_the_source_says_two_lesions_less_than_a_copy_only_keeps_them_together():
    zoomed = Fit(registered=0, banded=True, inliers=60, common=1.0, tone=0.84, whole=0.2, orientation=0)
    assert verdict(zoomed) == Verdict.COPY
    assert verdict(zoomed, contradicted=True) == Verdict.LESION
    overlap = Fit(registered=0, banded=True, inliers=60, common=0.3, tone=0.95, whole=0.2, orientation=0)
    assert verdict(overlap) == Verdict.LESION


def test_published_look_alikes_are_not_joined(real_data):
    held = {}
    for part in (1, 2):
        held |= members(real_data / "mirror" / "ham10000" / f"HAM10000_images_part_{part}.zip")
    pairs = [
        (row["from_img"], row["to_img"]) for row in csv.DictReader((real_data / "truth" / "ham10000_lookalikes.csv").open())
    ]
    assert all(name in held for pair in pairs for name in pair)
    for pair in pairs:
        a, b = (features(decode(held[name]).rgb) for name in pair)
        assert verdict(fit(a, b)) == verdict(fit(a, b, 1)) == Verdict.DIFFERENT


def test_real_resized_photographs_are_copies_of_their_originals(real_data):
    originals = members(real_data / "mirror" / "pad_ufes_20" / "imgs_part_1.zip")
    copies = {
        name: data
        for name, data in members(real_data / "truth" / "pad_ufes_20_resized_copies.zip").items()
        if name in originals
    }
    assert len(copies) == 6
    for name, data in copies.items():
        assert verdict(fit(features(decode(originals[name]).rgb), features(decode(data).rgb))) == Verdict.COPY
