"""HAM10000: two image archives and one table (lesion_id, image_id, dx, dx_type, age, sex, localization; read from the real table)."""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.files import Files
from sources.joins import join
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject
from sources.rows import Columns, image

VERSION = "2"

SOURCE = Source(
    name="ham10000",
    title="HAM10000: dermatoscopic images of common pigmented skin lesions",
    version="2018-dataverse",
    url="https://doi.org/10.7910/DVN/DBW86T",
    citation="Tschandl P, Rosendahl C, Kittler H. Sci Data 5, 180161 (2018).",
    licence_id="CC-BY-NC-4.0",
    attribution="HAM10000, ViDIR Group, Department of Dermatology, Medical University of Vienna; Tschandl et al. 2018",
    access="open",
    modality=Modality.DERMOSCOPIC,
    published_images=10_015,
    status="real data run",
    files=(
        SourceFile(name="HAM10000_images_part_1.zip", role="images"),
        SourceFile(name="HAM10000_images_part_2.zip", role="images"),
        SourceFile(name="HAM10000_metadata*", role="table"),
        SourceFile(name="HAM10000_segmentations_lesion_tschandl.zip", role="extra", required=False),
    ),
    groups=("lesion_id",),
    overlaps=("isic9", "isic2018", "isic2019", "isic_archive"),
    traps=(
        "several images a lesion: split by lesion_id; no patient id is published",
        "label akiec joins actinic keratosis and intraepithelial carcinoma: it stays a group",
        "18 pairs of different lesion ids were later confirmed as one lesion",
        "the table is saved as .csv, .tab or without extension: any is read",
        "licence as commonly stated: confirm on the landing page",
    ),
)

COLUMNS = Columns(
    diagnosis="dx",
    basis_column="dx_type",
    basis={
        "histo": DiagnosisBasis.HISTOPATHOLOGY,
        "confocal": DiagnosisBasis.CONFOCAL,
        "follow_up": DiagnosisBasis.FOLLOW_UP,
        "consensus": DiagnosisBasis.CONSENSUS,
    },
    lesion_id="lesion_id",
    archive_id="image_id",
    age="age",
    sex="sex",
    site="localization",
)


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image; the image id is also its id in the ISIC Archive."""
    table = files.table(next(iter(files.tables)), "image_id", *COLUMNS.needed())
    pairs, rejects = join("ham10000", table, files.members, lambda row: row.values["image_id"])
    yield from rejects
    for row, member in pairs:
        native_id = row.values["image_id"]
        yield from image(SOURCE, table, row, member, COLUMNS, native_id=native_id, modality=Modality.DERMOSCOPIC)
