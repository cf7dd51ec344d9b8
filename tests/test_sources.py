"""Fields, licences, and the readers on every real file and row that is here."""

import csv
from collections import Counter
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import gather
from prompts.ontology import load
from sources import archives, fields
from sources.archives import Member
from sources.catalogue import SOURCES, UnknownSource, markdown, source
from sources.files import Files
from sources.licences import CONFLICTING, LICENCES, PROFILES, isic_licence, may_release, openness, strictest
from sources.record import REASONS, ImageRecord, Reject
from sources.tables import parse

ROOT = Path(__file__).parents[1]
REAL = {"ham10000": 7028, "isic9": 1663, "pad_ufes_20": 257}


@lru_cache
def read_real(mirror: str, name: str) -> tuple[gather.Read, gather.Gathered]:
    entry = source(name)
    got = gather.gather(entry, mirror=mirror, cache="unused")
    return gather.read(entry, got), got


@pytest.mark.parametrize(("name", "count"), REAL.items())
def test_real_sets_are_read_to_the_last_file_and_row(real_data, name, count):
    read, got = read_real(str(real_data / "mirror"), name)
    assert len(read.records) == count
    members = [m for f in got.located if f.role == "images" for m in archives.scan(name, f.name, f.location)[0]]
    named = {(r.archive, r.member) for r in read.records} | {(r.archive, r.member) for r in read.rejects}
    assert {(m.archive, m.name) for m in members} == named
    assert len({r.image_id for r in read.records}) == count
    assert not read.rejects


def test_what_the_sets_say_is_carried(real_data):
    ham, pad, isic9 = (read_real(str(real_data / "mirror"), name)[0].records for name in ("ham10000", "pad_ufes_20", "isic9"))
    assert Counter(r.diagnosis_raw for r in ham)["nv"] == 4777
    assert all(r.lesion_id and r.archive_id for r in ham)
    assert len({r.archive_id for r in ham} & {r.archive_id for r in isic9}) == 670
    assert {t.value for r in pad for t in r.skin_tones} <= {"I", "II", "III", "IV", "V", "VI"}
    assert all(r.patient_id and r.lesion_id for r in pad)
    assert any("itch" in r.history for r in pad)
    assert {r.series for r in isic9} == {"Train", "Test"}


def rows_only(real_data, name: str, tables: dict[str, str], members: list[Member]) -> tuple[list[ImageRecord], list[Reject]]:
    """A reader on real tables, with a member for every image that they name: only the pictures are missing here."""
    folder = real_data / "mirror" / name
    parsed = {stored: parse(name, stored, (folder / file).read_bytes()) for stored, file in tables.items()}
    items = list(import_module(source(name).module).read(Files(name, parsed, members)))
    return [i for i in items if isinstance(i, ImageRecord)], [i for i in items if isinstance(i, Reject)]


def column(real_data, path: str, name: str) -> list[str]:
    with open(real_data / "mirror" / path, newline="", encoding="utf-8") as handle:
        return [row[name] for row in csv.DictReader(handle)]


def test_every_fitzpatrick17k_row_is_read(real_data):
    ids = column(real_data, "fitzpatrick17k/fitzpatrick17k.csv", "md5hash")
    members = [Member("images", f"{i}.jpg", 1) for i in ids]
    records, rejects = rows_only(real_data, "fitzpatrick17k", {"fitzpatrick17k.csv": "fitzpatrick17k.csv"}, members)
    assert Counter(r.reason for r in rejects) == {"excluded_by_source": 27}
    assert len(records) == 16_577 - 27
    tones = Counter(t.value for r in records for t in r.skin_tones if t.basis == "annotators of Scale AI")
    said = Counter(column(real_data, "fitzpatrick17k/fitzpatrick17k.csv", "fitzpatrick_scale"))
    assert sum(tones.values()) <= 16_577 - said["-1"]
    assert set(tones) == {"I", "II", "III", "IV", "V", "VI"}


def test_fitzpatrick17k_addresses_and_the_rows_without_one(real_data):
    table = parse("fitzpatrick17k", "fitzpatrick17k.csv", (real_data / "mirror/fitzpatrick17k/fitzpatrick17k.csv").read_bytes())
    from sources.sets import fitzpatrick17k

    links = list(fitzpatrick17k.links(Files("fitzpatrick17k", {"fitzpatrick17k.csv": table})))
    assert len(links) == 16_577 - 41
    assert len({link.name for link in links}) == len(links)


def test_every_isic2019_row_is_read(real_data):
    ids = column(real_data, "isic2019/ISIC_2019_Training_GroundTruth.csv", "image")
    members = [Member("ISIC_2019_Training_Input.zip", f"ISIC_2019_Training_Input/{i}.jpg", 1) for i in ids]
    names = ("ISIC_2019_Training_GroundTruth.csv", "ISIC_2019_Training_Metadata.csv")
    records, rejects = rows_only(real_data, "isic2019", {n: n for n in names}, members)
    assert not rejects
    assert len(records) == 25_331
    assert sum(r.lesion_id is None for r in records) == 2_084
    assert Counter(r.lesion_id[:3] for r in records if r.lesion_id) == {"BCN": 12_413, "HAM": 10_015, "MSK": 819}
    downsampled = [r for r in records if r.native_id.endswith("_downsampled")]
    assert len(downsampled) == 2_074
    assert not any(r.archive_id.endswith("_downsampled") for r in downsampled)
    assert all(r.diagnosis_raw for r in records)
    assert sum(r.sex is None for r in records) == 384


def test_every_derm7pt_row_is_read(real_data):
    paths = column(real_data, "derm7pt/meta.csv", "derm")
    members = [Member("release_v0.zip", f"release_v0/images/{p.upper()}", 1) for p in paths]
    records, rejects = rows_only(real_data, "derm7pt", {"meta.csv": "meta.csv"}, members)
    assert not rejects
    assert len(records) == 1_011
    assert all(len(r.expert_concepts) == 7 for r in records)
    assert Counter(r.expert_concepts["pigment_network"] for r in records) == {"absent": 400, "typical": 381, "atypical": 230}


@pytest.mark.parametrize(
    ("name", "path", "field"),
    [
        ("ham10000", "ham10000/HAM10000_metadata.csv", "dx"),
        ("pad_ufes_20", "pad_ufes_20/metadata.csv", "diagnostic"),
        ("fitzpatrick17k", "fitzpatrick17k/fitzpatrick17k.csv", "label"),
        ("derm7pt", "derm7pt/meta.csv", "diagnosis"),
    ],
)
def test_every_real_label_has_a_place_in_the_ontology(real_data, name, path, field):
    labels = Counter(column(real_data, path, field))
    unknown = {label: n for label, n in labels.items() if load().map_label(name, label).how == "unmapped"}
    assert not unknown


def test_every_isic2019_code_has_a_place_in_the_ontology():
    from sources.sets.isic2019 import LABELS

    unknown = [label for label in LABELS if label != "UNK" and load().map_label("isic2019", label).how == "unmapped"]
    assert not unknown


@pytest.mark.parametrize("entry", SOURCES.values(), ids=list(SOURCES))
def test_every_entry_is_complete(entry):
    assert entry.licence_id in LICENCES
    assert entry.title and entry.citation and entry.attribution and entry.url.startswith("https://")
    assert import_module(entry.module).VERSION
    assert entry.access == "built-in" or entry.files
    assert entry.traps
    assert all(name in SOURCES for name in (*entry.overlaps, *entry.annotates))


def test_the_page_of_all_sets_is_the_catalogue():
    assert (ROOT / "docs" / "sets.md").read_text() == markdown(), "run: python -m sources.catalogue markdown > docs/sets.md"


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownSource, match=r"did you mean ham10000.*pad_ufes_20"):
        source("HAM10000".lower() + "x")


@pytest.mark.parametrize(
    ("licence", "open_", "noncommercial", "annotations"),
    [
        ("CC0-1.0", True, True, True),
        ("CC-BY-4.0", True, True, True),
        ("CC-BY-NC-4.0", False, True, True),
        ("CC-BY-NC-SA-3.0", False, True, True),
        ("CC-BY-NC-ND-4.0", False, False, True),
        ("LicenseRef-ISIC-Mixed", False, False, True),
        ("LicenseRef-No-Clear-Rights", False, False, True),
        ("LicenseRef-Research-Only", False, False, False),
        ("LicenseRef-Stanford-AIMI", False, False, False),
        ("LicenseRef-Own", False, False, False),
        ("", False, False, False),
        (None, False, False, False),
    ],
)
def test_what_each_licence_permits(licence, open_, noncommercial, annotations):
    assert [may_release(licence, profile) for profile in PROFILES] == [open_, noncommercial, annotations]


@given(st.text(), st.sampled_from(PROFILES))
def test_an_unknown_licence_permits_nothing(name, profile):
    if name not in LICENCES:
        assert not may_release(name, profile)
        assert openness(name) == 0


def test_every_licence_of_the_catalogue_is_in_the_table():
    said = [licence for entry in SOURCES.values() for licence in (entry.licence_id, *(i for _, i in entry.licence_claims))]
    assert set(said) <= set(LICENCES)


@pytest.mark.parametrize("licence", LICENCES.values(), ids=list(LICENCES))
def test_a_licence_that_needs_an_agreement_or_a_statement_opens_nothing(licence):
    assert not (licence.agreement and (licence.redistribute or licence.annotations))
    assert licence.annotations or not licence.redistribute
    assert licence.redistribute or not (licence.derivatives or licence.commercial)


def test_an_unknown_profile_is_refused():
    with pytest.raises(ValueError, match="choose open, noncommercial, annotations-only"):
        may_release("CC0-1.0", "everything")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "years", "floor", "ok"),
    [
        ("45.0", 45, False, True),
        ("85+", 85, True, True),
        (">= 85", 85, True, True),
        ("NaN", None, False, True),
        ("N/A", None, False, True),
        ("45,5", 45.5, False, True),
        ("-1", None, False, False),
        ("400", None, False, False),
        ("forty", None, False, False),
    ],
)
def test_ages(text, years, floor, ok):
    assert fields.age(text) == fields.Age(years, floor, ok)


@given(st.text(max_size=30))
def test_no_text_breaks_the_fields(text):
    age = fields.age(text)
    assert age.years is None or 0 <= age.years <= fields.OLDEST
    assert fields.sex(text) in (None, "female", "male", "other")
    fields.body_site(text)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("lower extremity", "lower_limb"),
        ("FACE", "head_neck"),
        ("acral", None),
        ("unknown", None),
        ("anterior torso", "trunk_front"),
        ("back of hand", "upper_limb"),
        ("lower back of neck", None),
    ],
)
def test_body_sites(text, region):
    assert fields.body_site(text) == region


def test_of_two_statements_the_stricter_wins():
    assert strictest(["CC-BY-4.0", "CC-BY-NC-4.0"]) == "CC-BY-NC-4.0"
    assert strictest(["CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC0-1.0"]) == "CC-BY-NC-SA-4.0"
    assert strictest(["CC-BY-4.0", "LicenseRef-No-Clear-Rights"]) == "LicenseRef-No-Clear-Rights"
    assert strictest(["CC-BY-NC-ND-4.0", "CC-BY-NC-SA-4.0"]) == CONFLICTING
    assert strictest(["CC-BY-4.0", "WTFPL"]) == "WTFPL"


@given(st.lists(st.sampled_from(sorted(LICENCES)), min_size=1, max_size=5), st.sampled_from(PROFILES))
def test_nothing_is_released_that_any_statement_forbids(ids, profile):
    if not all(may_release(i, profile) for i in ids):
        assert not may_release(strictest(ids), profile)


@given(st.lists(st.sampled_from(sorted(LICENCES)), min_size=1, max_size=5))
def test_the_order_of_statements_does_not_matter(ids):
    assert strictest(ids) == strictest(reversed(ids)) == strictest(ids * 2)


def test_isic_licences():
    assert [isic_licence(t) for t in ("CC-0", "CC-BY", "cc-by-nc", "", "ALL RIGHTS")] == [
        "CC0-1.0",
        "CC-BY-4.0",
        "CC-BY-NC-4.0",
        "LicenseRef-ISIC-Mixed",
        "LicenseRef-ISIC-Mixed",
    ]


@pytest.mark.parametrize(
    ("text", "roman"),
    [
        ("2", "II"),
        ("2.0", "II"),
        ("FST 3", "III"),
        ("FST6", "VI"),
        ("iv brown skin", "IV"),
        ("-1", None),
        ("12", None),
        ("", None),
    ],
)
def test_fitzpatrick_types(text, roman):
    assert fields.fitzpatrick(text) == roman


@given(st.text(max_size=20))
def test_no_text_breaks_the_tones(text):
    assert fields.fitzpatrick(text) in (None, "I", "II", "III", "IV", "V", "VI")
    assert fields.monk(text) in (None, *map(str, range(1, 11)))


@pytest.mark.parametrize("name", REAL)
def test_rejects_use_known_reasons_only(real_data, name):
    assert {r.reason for r in read_real(str(real_data / "mirror"), name)[0].rejects} <= set(REASONS)
