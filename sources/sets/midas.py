"""MRA-MIDAS: clinical photographs at two distances and dermoscopy of biopsied lesions.

Columns of `release_midas.xlsx` as its users read them: midas_record_id, midas_file_name, midas_iscontrol, midas_distance (6in, 1ft,
dscope, n/a - virtual), midas_location, midas_path, midas_gender, midas_age, midas_fitzpatrick (`ii fair skin, blue eyes`),
midas_melanoma, midas_ethnicity, midas_race, length_(mm), width_(mm), clinical_impression_1 to _3.
"""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.fields import missing
from sources.files import Files
from sources.joins import join, unparsed
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject, ToneSystem
from sources.rows import Columns, image
from sources.tables import Table

VERSION = "1"
TABLE = "release_midas.xlsx"

SOURCE = Source(
    name="midas",
    title="MRA-MIDAS: multimodal images of biopsied lesions",
    version="2024",
    url="https://aimi.stanford.edu/datasets/mra-midas-Multimodal-Image-Dataset-for-AI-based-Skin-Cancer",
    citation="Chiou A S et al. NEJM AI 2 (2025).",
    licence_id="LicenseRef-Stanford-AIMI",
    attribution="MRA-MIDAS, Stanford and Cleveland Clinic; Chiou et al. 2025",
    access="agreement",
    modality=None,
    published_images=3_830,
    status="contract test",
    files=(
        SourceFile(name="midasmultimodalimagedatasetforaibasedskincancer.zip", role="images"),
        SourceFile(name=TABLE, role="table", header="midas_file_name"),
    ),
    groups=("patient_id",),
    skin_tone=(ToneSystem.FITZPATRICK,),
    traps=(
        "modality is each image's own: dscope, 6in, 1ft",
        "virtual rows (n/a - virtual) have no image of their own and are set aside",
        "control images show healthy skin: no diagnosis",
        "the table says .jpeg where files are .jpg: matched by stem",
        "path reports are personal data and are not carried",
        "no redistribution: nothing is released",
    ),
)

DISTANCES = {
    "dscope": Modality.DERMOSCOPIC,
    "6in": Modality.CLINICAL_CLOSE_UP,
    "15cm": Modality.CLINICAL_CLOSE_UP,
    "1ft": Modality.CLINICAL_OVERVIEW,
    "30cm": Modality.CLINICAL_OVERVIEW,
}
IMPRESSIONS = ("clinical_impression_1", "clinical_impression_2", "clinical_impression_3")


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image; the record id is the patient's visit and groups all its images."""
    sheet = files.table(TABLE, "midas_record_id", "midas_file_name", "midas_distance", "midas_path", "midas_iscontrol")
    real = tuple(row for row in sheet.rows if "virtual" not in row.values["midas_distance"])
    for row in sheet.rows:
        if row not in real:
            detail = f"{TABLE} line {row.line}: a virtual visit, no image of its own"
            name = row.values["midas_file_name"]
            yield Reject(source=SOURCE.name, native_id=name, reason="excluded_by_source", detail=detail)
    table = Table(sheet.name, real, ())
    pairs, rejects = join(SOURCE.name, table, files.images(), lambda row: row.values["midas_file_name"])
    yield from rejects
    columns = Columns(
        patient_id="midas_record_id",
        age="midas_age",
        sex="midas_gender",
        site="midas_location",
        fitzpatrick="midas_fitzpatrick",
        history=("length_(mm)", "width_(mm)", "midas_race", "midas_ethnicity"),
    )
    for row, member in pairs:
        said, native_id = row.values, row.values["midas_file_name"].rsplit(".", 1)[0]
        modality = DISTANCES.get(said["midas_distance"].replace(" ", "").casefold())
        if modality is None:
            yield unparsed(SOURCE.name, TABLE, row, member, native_id, "midas_distance")
        control = said["midas_iscontrol"].casefold() == "yes"
        path = said["midas_path"]
        impressions = [said[name] for name in IMPRESSIONS if not missing(said.get(name, ""))]
        known = not control and not missing(path) and path != "missing"
        facts = {
            "diagnosis_raw": path if known else None,
            "diagnosis_basis": DiagnosisBasis.HISTOPATHOLOGY if known else DiagnosisBasis.UNKNOWN,
            "differential": {} if control else {name: round(1 / len(impressions), 6) for name in impressions},
            "series": "control" if control else None,
        }
        where = modality or Modality.CLINICAL_CLOSE_UP
        yield from image(SOURCE, table, row, member, columns, native_id=native_id, modality=where, **facts)
