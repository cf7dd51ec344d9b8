"""ISIC 2019: one-hot truth (image, MEL … SCC, UNK) and metadata (image, age_approx, anatom_site_general, lesion_id, sex).

Columns read from real copies of both tables, one of which spells `sex` as `gender`.
"""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.files import Files
from sources.isic import CHALLENGE_DATA, one_hot
from sources.joins import index, join
from sources.record import ImageRecord, Modality, Reject
from sources.rows import Columns, image
from sources.tables import Row, Table

VERSION = "1"
LABELS = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
_AT = f"{CHALLENGE_DATA}/2019"


def _file(name: str, role: str, *, required: bool = True) -> SourceFile:
    return SourceFile(name=name, role=role, url=f"{_AT}/{name}", required=required)  # type: ignore[arg-type]


SOURCE = Source(
    name="isic2019",
    title="ISIC 2019 challenge: dermoscopic images of eight diagnoses",
    version="2019",
    url="https://challenge.isic-archive.com/data/#2019",
    citation="Combalia M et al. arXiv:1908.02288 (2019); Tschandl P et al. 2018; Codella N et al. 2018.",
    licence_id="CC-BY-NC-4.0",
    attribution="ISIC 2019: BCN_20000 (Hospital Clínic de Barcelona), HAM10000 (Medical University of Vienna), MSK",
    access="open",
    modality=Modality.DERMOSCOPIC,
    published_images=25_331 + 8_238,
    status="real rows run",
    files=(
        _file("ISIC_2019_Training_Input.zip", "images"),
        _file("ISIC_2019_Training_GroundTruth.csv", "table"),
        _file("ISIC_2019_Training_Metadata.csv", "table"),
        _file("ISIC_2019_Test_Input.zip", "images", required=False),
        _file("ISIC_2019_Test_GroundTruth.csv", "table", required=False),
        _file("ISIC_2019_Test_Metadata.csv", "table", required=False),
    ),
    groups=("lesion_id",),
    overlaps=("ham10000", "bcn20000", "msk", "isic_archive"),
    traps=(
        "HAM10000 is wholly inside (10,015 of 10,015), and BCN20000 in an earlier count",
        "2,074 `_downsampled` names are copies of 2016 and 2017 images: their archive id is the name without the suffix",
        "2,084 training rows have no lesion id",
        "copies circulate whose header says gender instead of sex",
        "the test part carries UNK: no diagnosis",
        "palms/soles and oral/genital name two regions: kept raw",
        "addresses and licence as commonly stated: confirm on the challenge's page",
    ),
)


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image of both parts; truth and metadata meet by image id."""
    for part in ("Training", "Test"):
        truth_name, facts_name = f"ISIC_2019_{part}_GroundTruth.csv", f"ISIC_2019_{part}_Metadata.csv"
        if not files.has_table(truth_name):
            continue
        truth = files.table(truth_name, "image", *(label for label in LABELS if label != "UNK"))
        facts, rejects = _facts(files, facts_name)
        yield from rejects
        pictures = [member for member in files.images() if member.archive.startswith(f"ISIC_2019_{part}")]
        pairs, rejects = join(SOURCE.name, truth, pictures, lambda row: row.values["image"])
        yield from rejects
        for row, member in pairs:
            yield from _image(row, truth, facts.get(row.values["image"].casefold()), member, part)


def _facts(files: Files, name: str) -> tuple[dict[str, tuple[Row, Table]], list[Reject]]:
    if not files.has_table(name):
        return {}, []
    table = files.table(name, "image", "age_approx", "anatom_site_general")
    rows, rejects = index(SOURCE.name, [table], lambda row: row.values["image"])
    return {key: (row, table) for key, row in rows.items()}, rejects


def _image(row: Row, truth: Table, facts: tuple[Row, Table] | None, member, part: str) -> Iterator[ImageRecord | Reject]:  # noqa: ANN001
    native_id = row.values["image"]
    label = one_hot(row, LABELS)
    about, table = facts or (row, truth)
    columns = Columns()
    if facts:
        sex = "sex" if "sex" in about.values else "gender" if "gender" in about.values else None
        lesion = "lesion_id" if "lesion_id" in about.values else None
        columns = Columns(age="age_approx", sex=sex, site="anatom_site_general", lesion_id=lesion)
    yield from image(
        SOURCE,
        table,
        about,
        member,
        columns,
        native_id=native_id,
        modality=Modality.DERMOSCOPIC,
        diagnosis_raw=None if label == "UNK" else label,
        archive_id=native_id.removesuffix("_downsampled"),
        series=part,
    )
