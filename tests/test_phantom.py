"""Phantoms: the same bytes everywhere, and what was planted is really there."""

import hashlib
import io
import zipfile
from collections import Counter, defaultdict
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image

from prompts.schemas import DERM7PT, SKINCON
from quality.copies import Verdict, verdict
from quality.geometry import fit
from quality.keypoints import features
from quality.raster import BadImage, decode, pixel_hash
from sources import phantom
from sources.phantom_lesion import CLINICAL, DERMOSCOPIC, PAINT
from sources.record import REASONS

RECORDS = list(phantom.records())
BY_ID = {record.image_id: record for record in RECORDS}


def test_a_plan_is_drawn_the_same_every_time():
    again = list(phantom.records())
    assert again == RECORDS
    for record in RECORDS[::40]:
        assert phantom.render(record.member) == phantom.render(record.member)


def test_another_seed_draws_other_lesions():
    other = phantom.Plan(lesions=20, seed=21)
    assert phantom.render("L0003-v0.jpg") != phantom.render("L0003-v0.jpg", other)


def test_ids_are_unique_and_the_mix_is_as_planned():
    assert len(BY_ID) == len(RECORDS)
    truth = phantom.truth()
    from sources.catalogue import source

    assert source("phantom").published_images == len(RECORDS)
    assert Counter(copy.kind for copy in truth.copies) == dict.fromkeys(phantom.COPY_KINDS, 6)
    assert len(truth.label_conflicts) == 8
    assert set(truth.faults.values()) <= set(REASONS)
    diagnoses = Counter(record.diagnosis_raw for record in RECORDS)
    assert set(diagnoses) == {*DERMOSCOPIC, *CLINICAL}


def test_concepts_use_the_closed_vocabularies():
    for record in RECORDS:
        if record.modality == "dermoscopic":
            assert set(record.expert_concepts) == set(DERM7PT)
            assert all(value in DERM7PT[key] for key, value in record.expert_concepts.items())
        else:
            assert set(record.expert_concepts["skincon"]) <= set(SKINCON)


@pytest.mark.parametrize("copy", phantom.truth().copies[::3], ids=lambda copy: copy.copy)
def test_copies_are_made_as_they_say(copy):
    original, made = (phantom.render(BY_ID[i].member) for i in (copy.original, copy.copy))
    assert (original == made) == (copy.kind == "exact bytes")
    if copy.kind in ("exact bytes", "re-encoded"):
        assert pixel_hash(decode(original).rgb) == pixel_hash(decode(made).rgb)
    else:
        assert pixel_hash(decode(original).rgb) != pixel_hash(decode(made).rgb)


def test_half_of_the_copies_belong_to_strangers():
    strangers = sum(BY_ID[copy.copy].patient_id != BY_ID[copy.original].patient_id for copy in phantom.truth().copies)
    assert strangers == len(phantom.truth().copies) // 2


def test_every_kind_of_copy_has_strangers_and_kept_ids():
    kept = Counter(
        (copy.kind, BY_ID[copy.copy].patient_id == BY_ID[copy.original].patient_id) for copy in phantom.truth().copies
    )
    assert kept == {(kind, same): 3 for kind in phantom.COPY_KINDS for same in (True, False)}


def test_a_second_view_is_another_picture_of_the_same_lesion():
    views = [record for record in RECORDS if record.native_id.endswith("-v1")]
    assert 30 < len(views) < 90
    for view in views[:5]:
        first = BY_ID[view.image_id.replace("-v1", "-v0")]
        assert (first.lesion_id, first.patient_id) == (view.lesion_id, view.patient_id)
        hashes = {hashlib.sha256(phantom.render(r.member)).hexdigest() for r in (first, view)}
        assert len(hashes) == 2


def test_a_second_view_is_no_copy_of_the_first():
    said = Counter()
    for view in [record for record in RECORDS if record.native_id.endswith("-v1")][:30]:
        first = BY_ID[view.image_id.replace("-v1", "-v0")]
        a, b = (features(decode(phantom.render(record.member)).rgb) for record in (first, view))
        said[verdict(fit(a, b))] += 1
    assert said[Verdict.COPY] == 0
    assert said[Verdict.LESION] >= 10


def test_a_person_has_one_skin_tone():
    tones = defaultdict(set)
    for record in RECORDS:
        if record.patient_id and record.patient_id.startswith("P"):
            tones[record.patient_id] |= set(record.skin_tones)
    assert {len(found) for found in tones.values()} == {1}
    assert len(set.union(*tones.values())) == 6


def test_every_colour_stands_out_from_the_skin():
    for image_id, lesion in phantom.truth().lesions.items():
        colours = np.array([[lesion.skin.colour, *(PAINT[name] for name in lesion.colours)]], np.float32) / 255
        skin, *paints = cv2.cvtColor(colours, cv2.COLOR_RGB2LAB)[0]
        assert min(np.linalg.norm(paint - skin) for paint in paints) > 12, (image_id, lesion)


@pytest.mark.parametrize(
    ("dermoscopic", "photographs"),
    [(True, "ham10000/HAM10000_images_part_1.zip"), (False, "pad_ufes_20/imgs_part_1.zip")],
)
def test_skin_has_the_texture_of_photographs(real_data, dermoscopic, photographs):
    with zipfile.ZipFile(real_data / "mirror" / photographs) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/"))
        real = [detail(decode(archive.read(name)).rgb) for name in names[:: len(names) // 60]]
    members = [r.member for r in RECORDS if (r.modality == "dermoscopic") == dermoscopic and r.native_id.endswith("-v0")]
    drawn = np.median([detail(decode(phantom.render(member)).rgb) for member in members[:30]], axis=0)
    low, high = np.percentile(real, [15, 85], axis=0)
    assert (low < drawn).all() and (drawn < high).all(), (low, drawn, high)


def detail(rgb: np.ndarray) -> list[float]:
    """Contrast of the skin above and below a lesion, in grey levels, in bands of 0 to 0.8, 1.6, 3.2 and 6.4 of 256 pixels."""
    square = cv2.resize(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), (256, 256), interpolation=cv2.INTER_AREA)
    skin = np.vstack([square[:48], square[-48:]]).astype(np.float32)
    blurred = [skin, *(cv2.GaussianBlur(skin, (0, 0), sigma) for sigma in (0.8, 1.6, 3.2, 6.4))]
    return [float((finer - coarser)[8:-8, 8:-8].std()) for finer, coarser in pairwise(blurred)]


@pytest.mark.parametrize(("image_id", "reason"), phantom.truth().faults.items())
def test_faults_do_the_damage_they_name(image_id, reason):
    record = BY_ID[image_id]
    try:
        found = [code for code, _ in decode(phantom.render(record.member), record.member).notes]
    except BadImage as error:
        found = [error.reason]
    assert reason in found


def test_ordinary_phantoms_open():
    for record in RECORDS[:200:25]:
        assert Image.open(io.BytesIO(phantom.render(record.member))).size == (384, 288)
