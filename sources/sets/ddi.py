"""DDI: biopsy-proven clinical images; `ddi_metadata.csv` (unnamed index, DDI_ID, DDI_file, skin_tone, malignant, disease) as published."""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.files import Files
from sources.joins import join, unparsed
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject, SkinTone, ToneSystem
from sources.rows import Columns, image

VERSION = "1"
TABLE = "ddi_metadata.csv"

SOURCE = Source(
    name="ddi",
    title="DDI: Diverse Dermatology Images",
    version="2022",
    url="https://ddi-dataset.github.io",
    citation="Daneshjou R et al. Sci Adv 8, eabq6147 (2022).",
    licence_id="LicenseRef-Stanford-AIMI",
    attribution="DDI, Stanford; Daneshjou et al. 2022",
    access="agreement",
    modality=Modality.CLINICAL_CLOSE_UP,
    published_images=656,
    status="contract test",
    files=(
        SourceFile(name="ddidiversedermatologyimages.zip", role="images"),
        SourceFile(name=TABLE, role="table", required=False),
    ),
    skin_tone=(ToneSystem.DDI_BINS,),
    overlaps=("skincon", "skincap"),
    traps=(
        "skin tone is one of three bins (12, 34, 56): never a Fitzpatrick type",
        "no redistribution: nothing is released",
        "6 near-copies, 3 irrelevant images and 8 label errors were found by others",
        "a copy saved by a spreadsheet says TRUE for True",
        "held out as a test set by convention elsewhere",
    ),
)

COLUMNS = Columns(diagnosis="disease")
BINS = ("12", "34", "56")


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image; every diagnosis rests on histopathology."""
    table = files.table(TABLE, "DDI_file", "skin_tone", *COLUMNS.needed())
    pairs, rejects = join(SOURCE.name, table, files.images(), lambda row: row.values["DDI_file"])
    yield from rejects
    for row, member in pairs:
        native_id = row.values["DDI_file"].rsplit(".", 1)[0]
        bin_ = row.values["skin_tone"].removesuffix(".0")
        if bin_ not in BINS:
            yield unparsed(SOURCE.name, TABLE, row, member, native_id, "skin_tone")
        tones = (SkinTone(bin_, ToneSystem.DDI_BINS, "dermatologists"),) if bin_ in BINS else ()
        facts = {"skin_tones": tones, "diagnosis_basis": DiagnosisBasis.HISTOPATHOLOGY}
        yield from image(SOURCE, table, row, member, COLUMNS, native_id=native_id, modality=Modality.CLINICAL_CLOSE_UP, **facts)
