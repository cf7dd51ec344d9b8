"""Image gates: what planted faults, sound pictures and stated modalities lead to; numbers that cannot depend on who computes them."""

import io
from dataclasses import asdict

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from benchmarks.image_faults import FAULTS
from benchmarks.planted_images import fires
from pipelines.measure import quality_of
from pipelines.tables import TABLES
from quality import (
    appearance,
    evidence,
    image_gates,
    image_kernels,
    image_metrics,
    marks,
    modality,
    people,
    relief_kernels,
    skin_tone,
)
from quality.compression import jpeg_quality
from quality.image_gates import GATES, judge
from quality.image_metrics import measure, working_grey
from quality.raster import decode
from quality.thresholds import FACE_SCORE
from sources import phantom


def clinical(n: int) -> np.ndarray:
    """The n-th clinical phantom."""
    members = [r.member for r in phantom.records() if r.modality != "dermoscopic" and r.member.endswith("-v0.jpg")]
    return decode(phantom.render(members[n])).rgb


@pytest.fixture(scope="module")
def pool() -> list[np.ndarray]:
    return [clinical(n) for n in range(8)]


@pytest.mark.parametrize("kind", [kind for kind in FAULTS if kind not in ("shaken", "text")])
def test_a_planted_fault_is_caught_by_its_gate(pool, kind):
    code, fault = FAULTS[kind]
    said = [fires(fault(pool[n], np.random.default_rng(n), pool), "clinical close-up") for n in range(6)]
    assert sum(code in codes for codes in said) >= 5, said


def test_sound_pictures_are_neither_excluded_nor_held_back(pool):
    actions = {gate.code: gate.action for gate in GATES}
    told = [code for picture in pool for code in fires(picture, "clinical close-up") if actions[code] != "flag"]
    assert len(told) <= 1, told


def test_a_picture_of_skin_is_told_from_grey_and_from_green():
    y, x = np.mgrid[0:120, 0:160]
    relief = (8 * np.sin(x / 5) * np.sin(y / 7))[:, :, None]
    skin = np.clip(np.array([210, 160, 135]) + relief, 0, 255).astype(np.uint8)
    assert not {"no_skin", "no_colour"} & set(fires(skin, "smartphone"))
    assert "no_colour" in fires(np.repeat(skin[:, :, :1], 3, axis=2), "smartphone")
    assert "no_skin" in fires(np.ascontiguousarray(skin[:, :, [1, 0, 2]]), "smartphone")


@settings(max_examples=30, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(32, 64), st.integers(32, 64), st.just(3))), st.integers(2, 5))
def test_layout_is_that_of_the_picture_and_not_of_its_size(rgb, times):
    large = np.ascontiguousarray(np.repeat(np.repeat(rgb, times, axis=0), times, axis=1))
    found, layout = appearance.features(large, working_grey(large)), slice(len(appearance.LAYOUT))
    if -(-max(large.shape) // appearance.SIDES[0]) == times:
        assert found[layout].tolist() == appearance.features(rgb, working_grey(rgb))[layout].tolist()
    assert np.isfinite(found).all()


@settings(max_examples=30, deadline=None)
@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(32, 90), st.integers(32, 90), st.just(3))),
    st.sampled_from([(1, 1), (1, 30), (30, 1)]),
)
def test_any_picture_gets_finite_numbers_for_its_modality(rgb, stretch):
    large = np.ascontiguousarray(np.repeat(np.repeat(rgb, stretch[0], axis=0), stretch[1], axis=1))
    found = appearance.features(large, working_grey(large))
    assert len(found) == len(appearance.NAMES) and np.isfinite(found).all()


@pytest.mark.parametrize("n", range(4))
def test_modality_is_told_alike_of_a_picture_its_mirror_image_and_its_thumbnail(pool, n):
    told = [
        modality.score(appearance.features(rgb, working_grey(rgb)))
        for rgb in (
            cv2.resize(pool[n], None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC),
            np.ascontiguousarray(cv2.resize(pool[n], None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)[:, ::-1]),
            cv2.resize(pool[n], None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA),
        )
    ]
    assert max(told) - min(told) < 2.5, told


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(8, 30), st.integers(8, 30)), elements=st.integers(24, 255)))
def test_relief_is_measured_by_the_moments_of_the_laplacian(grey):
    values = cv2.Laplacian(grey.astype(float), cv2.CV_64F)[1:-1, 1:-1].ravel()
    spread, apart = values.std() + 0.5, values - values.mean()
    wanted = [np.log(abs(values).mean() + 0.5), (apart**3).mean() / spread**3, np.log((apart**4).mean() / spread**4 + 1)]
    assert np.allclose(relief_kernels.curvature(grey), [*wanted, abs(values).mean() / spread], atol=1e-6)
    across, down = abs(np.diff(grey.astype(int), axis=1)), abs(np.diff(grey.astype(int), axis=0))
    assert np.isclose(relief_kernels.steps(grey)[0], np.concatenate([across.ravel(), down.ravel()]).mean() / 255)


def test_light_from_one_side_is_told_from_light_in_the_middle():
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    skin = np.array([210, 160, 135])
    side, middle = ((skin * light[:, :, None]).astype(np.uint8) for light in (0.7 + 0.3 * x, 1 - 0.3 * np.hypot(x, y)))
    names = list(appearance.NAMES)
    lit = [dict(zip(names, appearance.features(rgb, working_grey(rgb)), strict=True)) for rgb in (side, middle)]
    assert lit[0]["light across"] > 10 * lit[1]["light across"]
    assert lit[1]["light of ring 0"] > 0.1 > lit[0]["light of ring 0"]


def test_dark_skin_in_ordinary_light_is_not_called_too_dark():
    for shade in ((98, 66, 50), (70, 46, 36)):
        y, x = np.mgrid[0:150, 0:200]
        light = (1 + 0.25 * np.sin(x / 9) * np.cos(y / 8))[:, :, None]
        assert "too_dark" not in fires(np.clip(np.array(shade) * light, 0, 255).astype(np.uint8), "smartphone")


def test_what_does_not_concern_skin_is_not_asked_of_pathology():
    section = FAULTS["histology"][1](np.zeros((200, 260, 3), np.uint8), np.random.default_rng(3), [])
    assert "histology" in fires(section, "clinical close-up")
    assert "histology" not in fires(section, "pathology")


def test_a_stated_modality_is_contradicted_only_by_clear_pictures():
    numbers = {"modality_score": image_gates.t.MODALITY_CLEAR + 0.1}
    assert [v.code for v in judge(numbers, "smartphone")] == ["modality"]
    assert judge(numbers, "dermoscopic") == ()
    assert judge({"modality_score": image_gates.t.MODALITY_CLEAR - 0.1}, "smartphone") == ()
    assert [modality.predicted(odds) for odds in (-3.0, 0.0, 3.0)] == ["clinical", "unclear", "dermoscopic"]


def test_a_verdict_tells_what_was_measured_and_against_which_threshold():
    (verdict,) = judge({"contrast": 3}, "dermoscopic")
    assert (verdict.code, verdict.action, verdict.metric, verdict.measured) == ("blank", "exclude", "contrast", 3.0)
    assert verdict.threshold == image_gates.t.BLANK_CONTRAST
    assert image_gates.excludes([verdict])


def test_gates_have_codes_of_their_own_and_ask_for_columns_of_the_table():
    assert len({gate.code for gate in GATES}) == len(GATES)
    columns = {name for name, _ in TABLES["image_quality"].columns} | {"modality_against"}
    assert {metric for gate in GATES for metric, _, _ in gate.limits} <= columns


def test_the_table_holds_every_number_that_is_measured():
    columns = {name for name, _ in TABLES["image_quality"].columns}
    rgb = clinical(1)
    assert set(quality_of(b"", rgb, evidence.measure(rgb))) <= columns


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(32, 90), st.integers(32, 90), st.just(3)), elements=st.integers(0, 255)),
    st.sampled_from([(1, 1), (1, 9), (9, 1), (12, 12)]),
)
def test_any_picture_gets_finite_numbers(rgb, stretch):
    large = np.ascontiguousarray(np.repeat(np.repeat(rgb, stretch[0], axis=0), stretch[1], axis=1))
    found = asdict(measure(large, working_grey(large)))
    assert all(np.isfinite(value) for value in found.values())
    assert all(0 <= found[name] <= 1 for name in found if name.endswith("_share"))
    assert max(working_grey(large).shape) <= image_metrics.WORKING_SIDE


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24)), elements=st.sampled_from([0, 0, 1, 2, 3])))
def test_parts_are_those_that_opencv_finds(mask):
    ours = image_kernels.parts(mask, 1, 1)
    count, _, stats, centres = cv2.connectedComponentsWithStats(mask & 1, connectivity=8)
    theirs = np.concatenate([stats[1:], centres[1:]], axis=1)
    assert len(ours) == count - 1
    assert np.allclose(sorted(map(tuple, ours)), sorted(map(tuple, theirs)))


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(9, 20), st.integers(9, 20)), elements=st.integers(0, 255)))
def test_a_step_across_is_what_all_but_the_given_share_of_rows_reach(grey):
    wide = grey[::2].astype(int)
    for x, found in enumerate(image_kernels.steps_across(grey, 0.3)[4:-4], start=4):
        near, far = abs(wide[:, x + 1] - wide[:, x - 1]), abs(wide[:, x + 4] - wide[:, x - 4])
        steps, allowed = np.minimum(near, far), 0.3 * len(wide)
        level = next(n for n in range(256) if (steps <= n).sum() > allowed)
        assert found == level + (allowed - (steps < level).sum()) / (steps == level).sum()


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24)), elements=st.integers(0, 255)), st.integers(1, 5))
def test_a_thin_line_stands_out_from_both_sides_along_a_row_a_column_or_a_diagonal(grey, reach):
    hair, printed, r, levels = 16, 40, (reach * 3 + 2) // 4, grey.astype(int)
    wanted = np.zeros_like(grey)
    for y, x in np.ndindex(*np.maximum(np.array(grey.shape) - 2 * reach, 0)):
        y, x = y + reach, x + reach
        pairs = [(levels[y - b, x - a], levels[y + b, x + a]) for a, b in ((reach, 0), (0, reach), (r, r), (-r, r))]
        darker, lighter = [min(pair) - levels[y, x] for pair in pairs], [levels[y, x] - max(pair) for pair in pairs]
        if max(darker[:2]) >= hair // 2:
            wanted[y, x] = (max(darker) >= hair) | (max(darker) >= printed) << 1
        elif max(lighter[:2]) >= printed // 2:
            wanted[y, x] = (max(lighter) >= printed) << 2
    assert np.array_equal(image_kernels.lines(grey, reach, hair, printed), wanted)


def test_a_row_of_ticks_is_counted_whatever_stands_around_it():
    ticks = np.array([[20.0 + 9 * n, 50.0] for n in range(12)] + [[33.0, 90.0], [150.0, 20.0]])
    sizes = np.full((len(ticks), 2), [2.0, 6.0])
    from quality.marks_kernels import longest_row

    assert longest_row(ticks, sizes, 40.0) == 12
    assert longest_row(ticks[12:], sizes[12:], 40.0) == 0


def test_hairs_are_longer_than_what_skin_has():
    grey = np.full((192, 256), 190, np.uint8)
    assert marks.find(grey).hair_length == 0
    cv2.line(grey, (10, 20), (240, 150), 60, 1, cv2.LINE_AA)
    assert marks.find(grey).hair_length > 0.8


@pytest.mark.parametrize("quality", [10, 25, 50, 75, 95])
def test_the_quality_of_a_jpeg_is_read_from_its_header(quality):
    out = io.BytesIO()
    Image.fromarray(clinical(0)).save(out, "JPEG", quality=quality)
    found = jpeg_quality(out.getvalue())
    assert found is not None and abs(found - quality) <= 2


@given(st.binary(max_size=300))
def test_no_bytes_break_the_header_reader(data):
    for head in (b"", b"\xff\xd8", b"\xff\xd8\xff\xdb\x00\x43\x00"):
        found = jpeg_quality(head + data)
        assert found is None or 1 <= found <= 100


def test_a_face_is_found_upright_turned_in_part_and_small_and_skin_is_not_one(pool):
    from skimage import data

    face = np.ascontiguousarray(data.astronaut()[:220, 120:340])
    turned = cv2.warpAffine(face, cv2.getRotationMatrix2D((110, 110), 45, 1), (220, 220), borderMode=cv2.BORDER_REFLECT)
    small = cv2.resize(pool[0], (600, 600))
    small[200:400, 200:400] = cv2.resize(face, (200, 200), interpolation=cv2.INTER_AREA)
    shown = {
        "upright": face,
        "turned": turned,
        "left half": face[:, :110],
        "lower half": face[110:],
        "dark": face // 3,
        "small": small,
    }
    assert [how for how, picture in shown.items() if "face" not in fires(np.ascontiguousarray(picture), "smartphone")] == []
    assert sum(people.face_score(picture) >= FACE_SCORE for picture in pool) == 0


@pytest.mark.parametrize("size", [(32, 32), (32, 2000), (2000, 32), (191, 192), (600, 450)])
def test_a_picture_of_any_shape_is_asked_for_faces_with_the_same_answer_twice(size):
    picture = np.random.default_rng(3).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert 0 <= people.face_score(picture) == people.face_score(picture) <= 1


def test_the_typology_angle_follows_lightness_and_says_when_the_light_is_to_blame():
    def seen(light: float, red: float, yellow: float) -> evidence.Evidence:
        return evidence.Evidence(True, skin_lab=(light, red, yellow))

    angles = [skin_tone.typology_angle(seen(light, 11, 15)) for light in (75, 60, 50, 35)]
    assert angles == sorted(angles, reverse=True) and angles[2] == 0.0
    assert skin_tone.typology_angle(evidence.Evidence(False)) is None
    assert skin_tone.doubt(seen(60, 11, 15)) is None
    assert skin_tone.doubt(seen(60, 30, 15)) == "pink light"
    assert skin_tone.doubt(seen(60, 11, -3)) == "blue light"
