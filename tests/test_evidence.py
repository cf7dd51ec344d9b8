"""Measurements are true: of drawn lesions whose colours and shape are known, and of real ones against published masks."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.segmentation import agreement, dice
from prompts.schemas import MEASURED, all_findings
from quality import evidence
from quality.raster import decode
from sources import phantom
from sources.phantom_lesion import Lesion


def lesion(colour=(92, 60, 48), skin=(232, 194, 168), axes=(50, 50), centre=(96, 128)) -> np.ndarray:
    y, x = np.mgrid[0:192, 0:256].astype(float)
    inside = ((y - centre[0]) / axes[0]) ** 2 + ((x - centre[1]) / axes[1]) ** 2 < 1
    image = np.where(inside[:, :, None], colour, skin) + np.random.default_rng(0).normal(0, 2, (192, 256, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


def said(rgb: np.ndarray) -> set[str]:
    return set(evidence.findings(evidence.measure(rgb)))


def test_a_round_brown_spot_is_described_as_such():
    assert {
        "colour: dark brown",
        "number of colours: one",
        "symmetry: symmetric",
        "outline: smooth",
        "edge: sharp",
        "shape: round",
    } == said(lesion())


@pytest.mark.parametrize(("axes", "shape"), [((50, 50), "round"), ((40, 60), "oval"), ((26, 70), "elongated")])
def test_shape_follows_the_axes(axes, shape):
    assert f"shape: {shape}" in said(lesion(axes=axes))


def test_bare_skin_and_noise_say_nothing():
    skin = np.full((192, 256, 3), (232, 194, 168), np.uint8) + np.random.default_rng(1).integers(
        0, 4, (192, 256, 3), dtype=np.uint8
    )
    measured = evidence.measure(skin)
    assert not measured.measured and measured.why_not
    assert evidence.findings(measured) == ()


def test_a_lesion_cut_by_the_frame_has_no_shape_statement():
    statements = said(lesion(centre=(20, 128), axes=(60, 60)))
    assert not {s for s in statements if s.split(":")[0] in ("symmetry", "outline", "shape", "edge")}


def test_every_statement_is_in_the_vocabulary():
    for n in range(25):
        member = [r.member for r in phantom.records()][n]
        assert said(decode(phantom.render(member)).rgb) <= all_findings()
    assert set(MEASURED) == {"colour", "number of colours", "symmetry", "outline", "edge", "shape"}


def test_the_fading_margin_of_a_dark_spot_is_no_second_colour():
    y, x = np.mgrid[0:192, 0:256].astype(float)
    inside = 1 / (1 + np.exp((np.hypot(y - 96, x - 128) - 50) / 4))
    soft = np.clip(np.array([202, 167, 147]) * (1 - inside[:, :, None]) + np.array([92, 60, 48]) * inside[:, :, None], 0, 255)
    assert {"colour: dark brown", "number of colours: one"} <= said(soft.astype(np.uint8))
    assert "colour: light brown" not in said(soft.astype(np.uint8))


def test_the_edge_of_a_pink_lesion_as_light_as_skin_is_measured_in_colour():
    rng, (y, x) = np.random.default_rng(2), np.mgrid[0:192, 0:256].astype(float)
    lab = np.zeros((192, 256, 3), np.float32)
    lab[:] = (66, 11, 16)
    lab[:, :, 1] += 28 / (1 + np.exp((np.hypot(y - 96, x - 128) - 50) / 9))
    lab[:, :, 0] += cv2.resize(rng.normal(0, 2, (48, 64)), (256, 192), interpolation=cv2.INTER_CUBIC)
    pink = (np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * 255).astype(np.uint8)
    assert "edge: gradual" in said(pink)


@pytest.fixture(scope="module")
def drawn() -> list[tuple[Lesion, set[str]]]:
    """Drawn lesions and what is measured of them."""
    lesions = phantom.truth().lesions
    members = [(r.image_id, r.member) for r in list(phantom.records())[:120]]
    return [(lesions[image_id], said(decode(phantom.render(member)).rgb)) for image_id, member in members]


def test_colours_named_on_phantoms_were_drawn(drawn):
    named = [(s.split(": ")[1], lesion.colours) for lesion, words in drawn for s in words if s.startswith("colour: ")]
    assert len(named) > 120
    assert sum(colour in colours for colour, colours in named) / len(named) > 0.97


def test_what_is_stated_of_shapes_and_edges_of_phantoms_was_drawn(drawn):
    verdicts = [
        true
        for lesion, words in drawn
        for word, true in (
            ("symmetry: symmetric", lesion.symmetric),
            ("symmetry: asymmetric in both axes", not lesion.symmetric),
            ("outline: irregular", lesion.irregular or not lesion.symmetric),
            ("edge: sharp", lesion.sharp),
            ("edge: gradual", not lesion.sharp),
        )
        if word in words
    ]
    assert len(verdicts) > 120
    assert verdicts.count(True) / len(verdicts) > 0.97


@pytest.fixture(scope="module")
def masked(real_data) -> list[tuple[np.ndarray, np.ndarray]]:
    folder: Path = real_data / "mirror" / "ham10000"
    cases = []
    with (
        zipfile.ZipFile(folder / "HAM10000_segmentations_lesion_tschandl.zip") as masks,
        zipfile.ZipFile(folder / "HAM10000_images_part_1.zip") as images,
    ):
        held = set(images.namelist())
        for name in sorted(masks.namelist())[:120]:
            image = f"{Path(name).stem.removesuffix('_segmentation')}.jpg"
            if image in held:
                cases.append((decode(images.read(image)).rgb, decode(masks.read(name)).rgb[:, :, 0] > 127))
    return cases


def test_real_lesions_are_outlined(masked):
    found = [(evidence.segment(rgb), truth) for rgb, truth in masked]
    scores = [dice(mask, truth) for mask, truth in found if mask is not None]
    assert len(scores) > 0.75 * len(masked)
    assert np.mean(scores) > 0.8


def test_shape_statements_on_real_lesions_agree_with_published_masks(masked):
    verdicts = [
        verdict
        for rgb, truth in masked
        for verdict in agreement(evidence.findings(evidence.measure(rgb)), truth).values()
        if verdict != "undecided"
    ]
    assert len(verdicts) > 60
    assert verdicts.count("confirmed") / len(verdicts) > 0.9


def test_a_published_mask_confirms_contradicts_or_leaves_open():
    y, x = np.mgrid[0:192, 0:256]
    disc = (y - 96) ** 2 + (x - 128) ** 2 < 50**2
    assert agreement(["shape: round", "symmetry: asymmetric in both axes", "colour: red"], disc) == {
        "shape": "confirmed",
        "symmetry": "contradicted",
    }
    assert agreement(["outline: smooth"], np.zeros_like(disc)) == {"outline": "undecided"}
