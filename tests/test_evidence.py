"""Measurements are true: of drawn lesions whose colours and shape are known, and of real ones against published masks."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks.segmentation import agreement, dice
from prompts.schemas import MEASURED, all_findings
from quality import evidence
from quality.raster import decode
from sources import phantom


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


def test_colours_named_on_phantoms_were_drawn():
    named = right = 0
    truth = phantom.truth().lesions
    for record in list(phantom.records())[:120]:
        drawn = truth[record.image_id]
        if drawn.dermoscopic:
            colours = {s.split(": ")[1] for s in said(decode(phantom.render(record.member)).rgb) if s.startswith("colour: ")}
            named += len(colours)
            right += len(colours & set(drawn.colours))
    assert named > 60
    assert right / named > 0.9


def test_symmetry_and_outline_stated_on_phantoms_were_drawn():
    stated = wrong = 0
    truth = phantom.truth().lesions
    for record in list(phantom.records())[:120]:
        drawn, words = truth[record.image_id], said(decode(phantom.render(record.member)).rgb)
        for word, true in (
            ("symmetry: symmetric", drawn.symmetric),
            ("symmetry: asymmetric in both axes", not drawn.symmetric),
            ("outline: irregular", drawn.irregular or not drawn.symmetric),
        ):
            stated += word in words
            wrong += word in words and not true
    assert stated > 60
    assert wrong / stated < 0.05


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
