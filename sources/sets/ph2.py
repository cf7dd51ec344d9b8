"""PH2: 200 dermoscopic images (BMP) with expert criteria.

Layout as published: `PH2Dataset/PH2 Dataset images/IMD003/IMD003_Dermoscopic_Image/IMD003.bmp` beside lesion and ROI masks, and
`PH2_dataset.xlsx`, whose header stands on line 13 below a legend; `X` marks the diagnosis.
"""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.fields import missing
from sources.files import Files
from sources.joins import join, unparsed
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject
from sources.rows import Columns, image, stray
from sources.tables import Row

VERSION = "1"
TABLE = "PH2_dataset.xlsx"
NETWORK, DOTS = "Pigment Network (AT/T)", "Dots/Globules (A/AT/T)"
STREAKS, REGRESSION, VEIL = "Streaks (A/P)", "Regression Areas (A/P)", "Blue-Whitish Veil (A/P)"
ASYMMETRY = "Asymmetry (0/1/2)"

SOURCE = Source(
    name="ph2",
    title="PH2: dermoscopic images with segmentation and criteria",
    version="2013",
    url="https://www.fc.up.pt/addi/ph2%20database.html",
    citation="Mendonça T et al. EMBC (2013).",
    licence_id="LicenseRef-Research-Only",
    attribution="PH2, Hospital Pedro Hispano and University of Porto; Mendonça et al. 2013",
    access="registration",
    modality=Modality.DERMOSCOPIC,
    published_images=200,
    status="contract test",
    files=(
        SourceFile(name="PH2Dataset.zip", role="images"),
        SourceFile(name=TABLE, role="table", header="Image Name"),
    ),
    traps=(
        "published as a RAR archive: unpack it into a folder PH2Dataset, and put the .xlsx beside it",
        "BMP files; folder names with spaces",
        "the sheet's header stands below a legend, and its names hold line breaks",
        "lesion and ROI masks stand beside each image",
        "streaks and regression are only present or absent: presence does not say which kind, so only absence is carried over",
    ),
)

DIAGNOSES = ("Common Nevus", "Atypical Nevus", "Melanoma")
COLOURS = ("White", "Red", "Light-Brown", "Dark-Brown", "Blue-Gray", "Black")
VALUES = {
    "pigment_network": (NETWORK, {"T": "typical", "AT": "atypical"}),
    "dots_and_globules": (DOTS, {"A": "absent", "T": "regular", "AT": "irregular"}),
    "streaks": (STREAKS, {"A": "absent", "P": ""}),
    "regression_structures": (REGRESSION, {"A": "absent", "P": ""}),
    "blue_whitish_veil": (VEIL, {"A": "absent", "P": "present"}),
}
"""Criteria in the seven-point coding, from PH2's letters (absent, present, typical, atypical)."""


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image; masks and regions of interest are no photographs."""
    table = files.table(TABLE, "Image Name", ASYMMETRY, NETWORK, DOTS, STREAKS, REGRESSION, VEIL, *DIAGNOSES)
    pictures = [member for member in files.images() if "_dermoscopic_image/" in member.name.casefold()]
    yield from (stray(SOURCE, m, "not_a_photograph", "a mask or region of interest") for m in files.others(pictures))
    pairs, rejects = join(SOURCE.name, table, pictures, lambda row: row.values["Image Name"])
    yield from rejects
    for row, member in pairs:
        native_id = row.values["Image Name"]
        for column, values in VALUES.values():
            if not missing(row.values[column]) and row.values[column] not in values:
                yield unparsed(SOURCE.name, TABLE, row, member, native_id, column)
        marked = [name for name in DIAGNOSES if row.values[name].upper() == "X"]
        histology = row.values.get("Histological Diagnosis", "")
        facts = {
            "diagnosis_raw": marked[0] if len(marked) == 1 else None,
            "diagnosis_basis": DiagnosisBasis.EXPERT if missing(histology) else DiagnosisBasis.HISTOPATHOLOGY,
            "expert_concepts": _concepts(row),
        }
        yield from image(SOURCE, table, row, member, Columns(), native_id=native_id, modality=Modality.DERMOSCOPIC, **facts)


def _concepts(row: Row) -> dict[str, str | list[str]]:
    seven = {name: values.get(row.values[column], "") for name, (column, values) in VALUES.items()}
    own = [f"asymmetry {row.values[ASYMMETRY]}"] if row.values[ASYMMETRY] in ("0", "1", "2") else []
    own += [f"{c.casefold()} colour" for c in COLOURS if row.values.get(c, "").upper() == "X"]
    own += [
        f"{name} present" for name, column in (("streaks", STREAKS), ("regression", REGRESSION)) if row.values[column] == "P"
    ]
    return {name: value for name, value in seven.items() if value} | ({"ph2": own} if own else {})
