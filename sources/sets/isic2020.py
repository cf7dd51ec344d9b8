"""ISIC 2020 (SIIM-ISIC): one table with patients, and a published list of duplicates.

Layout as published: `ISIC_2020_Training_GroundTruth_v2.csv` (image_name, patient_id, lesion_id, sex, age_approx,
anatom_site_general_challenge, diagnosis, benign_malignant, target), `ISIC_2020_Training_Duplicates.csv` (image_name_1, image_name_2;
columns read from the real list).
"""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.files import Files
from sources.isic import CHALLENGE_DATA
from sources.joins import families, join
from sources.record import ImageRecord, Modality, Reject
from sources.rows import Columns, image

VERSION = "1"
_AT = f"{CHALLENGE_DATA}/2020"
DUPLICATES = "ISIC_2020_Training_Duplicates.csv"


def _file(name: str, role: str, *, required: bool = True) -> SourceFile:
    return SourceFile(name=name, role=role, url=f"{_AT}/{name}", required=required)  # type: ignore[arg-type]


SOURCE = Source(
    name="isic2020",
    title="ISIC 2020 challenge: dermoscopic images with patient context",
    version="2020-v2",
    url="https://challenge2020.isic-archive.com",
    citation="Rotemberg V et al. Sci Data 8, 34 (2021).",
    licence_id="CC-BY-NC-4.0",
    attribution="ISIC 2020 challenge, https://doi.org/10.34970/2020-ds01 (c) by ISDIS; Rotemberg et al. 2021",
    access="open",
    modality=Modality.DERMOSCOPIC,
    published_images=33_126 + 10_982,
    status="contract test",
    files=(
        _file("ISIC_2020_Training_JPEG.zip", "images"),
        _file("ISIC_2020_Training_GroundTruth_v2.csv", "table"),
        _file(DUPLICATES, "table", required=False),
        _file("ISIC_2020_Test_JPEG.zip", "images", required=False),
        _file("ISIC_2020_Test_Metadata.csv", "table", required=False),
    ),
    groups=("patient_id", "lesion_id"),
    overlaps=("isic_archive",),
    traps=(
        "425 duplicate pairs are published: they share a lineage here",
        "27,124 rows have no diagnosis but `unknown`: only benign or malignant is said, and stays that coarse",
        "584 melanomas among 33,126: extreme imbalance",
        "the same images exist as DICOM",
        "no label for the test part",
        "addresses and licence as commonly stated: confirm on the challenge's page",
    ),
)

COLUMNS = Columns(
    diagnosis="diagnosis",
    patient_id="patient_id",
    archive_id="image_name",
    age="age_approx",
    sex="sex",
    site="anatom_site_general_challenge",
)
TEST = Columns(patient_id="patient", age="age_approx", sex="sex", site="anatom_site_general_challenge")


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image; images that the published list pairs have one lineage."""
    table = files.table("ISIC_2020_Training_GroundTruth_v2.csv", "image_name", "benign_malignant", *COLUMNS.needed())
    family: dict[str, str] = {}
    if files.has_table(DUPLICATES):
        pairs = files.table(DUPLICATES, "image_name_1", "image_name_2").rows
        family = families((row.values["image_name_1"], row.values["image_name_2"]) for row in pairs)
    joined, rejects = join(SOURCE.name, table, _part(files, "Training"), lambda row: row.values["image_name"])
    yield from rejects
    for row, member in joined:
        name = row.values["image_name"]
        known = row.values["diagnosis"].casefold() not in ("", "unknown")
        facts = {
            "lineage": family.get(name),
            "lesion_id": row.values.get("lesion_id") or None,
            "series": "Training",
            "diagnosis_raw": row.values["diagnosis"] if known else row.values["benign_malignant"] or None,
        }
        yield from image(SOURCE, table, row, member, COLUMNS, native_id=name, modality=Modality.DERMOSCOPIC, **facts)
    yield from _test(files)


def _part(files: Files, part: str) -> list:  # type: ignore[type-arg]
    return [member for member in files.images() if f"_{part}_" in member.archive]


def _test(files: Files) -> Iterator[ImageRecord | Reject]:
    if not files.has_table("ISIC_2020_Test_Metadata.csv"):
        return
    table = files.table("ISIC_2020_Test_Metadata.csv", "image", *TEST.needed())
    joined, rejects = join(SOURCE.name, table, _part(files, "Test"), lambda row: row.values["image"])
    yield from rejects
    for row, member in joined:
        name = row.values["image"]
        facts = {"archive_id": name, "series": "Test"}
        yield from image(SOURCE, table, row, member, TEST, native_id=name, modality=Modality.DERMOSCOPIC, **facts)
