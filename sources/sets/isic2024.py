"""ISIC 2024 (SLICE-3D): crops of lesions from 3D total body photographs.

Layout as published: `train-image/image/ISIC_*.jpg` and `train-metadata.csv` of 55 columns, of which those that describe the crop's
measurements, the model's confidence and the histology are never read as features (they leak the label).
"""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.files import Files
from sources.isic import deepest, per_image
from sources.joins import join
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject
from sources.rows import Columns, image

VERSION = "1"
TABLE = "train-metadata.csv"

COLUMNS = Columns(
    patient_id="patient_id",
    lesion_id="lesion_id",
    archive_id="isic_id",
    age="age_approx",
    sex="sex",
    site="anatom_site_general",
)
LEVELS = ("iddx_1", "iddx_2", "iddx_3", "iddx_4", "iddx_5")

SOURCE = Source(
    name="isic2024",
    title="ISIC 2024 SLICE-3D: lesion crops from total body photography",
    version="2024",
    url="https://doi.org/10.34970/2024-slice-3d",
    citation="Kurtansky N R et al. Sci Data 11, 884 (2024).",
    licence_id="CC-BY-NC-4.0",
    attribution="SLICE-3D, ISIC 2024 challenge; Kurtansky et al. 2024",
    access="registration",
    modality=Modality.TBP,
    published_images=401_059,
    status="contract test",
    files=(
        SourceFile(name="train-image.zip", role="images"),
        SourceFile(
            name=TABLE,
            role="table",
            columns=("isic_id", *COLUMNS.needed(), "attribution", "copyright_license", "clin_size_long_diam_mm", *LEVELS),
        ),
    ),
    groups=("patient_id", "lesion_id"),
    overlaps=("isic_archive",),
    traps=(
        "iddx_*, mel_* and tbp_lv_dnn_lesion_confidence leak the label: iddx_* is read as the label, the others never",
        "393 malignant among 401,059; most labels say no more than Benign",
        "61 to 239 pixels a side",
        "a permissive subset exists under CC-BY and CC0: each row's own licence is used",
        "columns of mixed types: everything is read as text",
    ),
)


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record a crop, under its own licence and attribution; strongly labelled ones rest on histopathology."""
    table = files.table(TABLE, "isic_id", *COLUMNS.needed(), *LEVELS)
    pairs, rejects = join(SOURCE.name, table, files.images(), lambda row: row.values["isic_id"])
    yield from rejects
    for row, member in pairs:
        label = deepest(row, LEVELS)
        strong = len(label.split(":")) > 1 if label else False
        size = row.values.get("clin_size_long_diam_mm", "")
        facts = {
            "diagnosis_raw": label.split(":")[-1] if label else None,
            "diagnosis_basis": DiagnosisBasis.HISTOPATHOLOGY if strong else DiagnosisBasis.UNKNOWN,
            "history": {"clin_size_long_diam_mm": size} if size else {},
            **per_image(SOURCE, row),
        }
        native_id = row.values["isic_id"]
        yield from image(SOURCE, table, row, member, COLUMNS, native_id=native_id, modality=Modality.TBP, **facts)
