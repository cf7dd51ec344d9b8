"""PAD-UFES-20: smartphone photographs (PNG) and one table of 26 columns, most of them clinical history (read from the real table)."""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.fields import yes
from sources.files import Files
from sources.joins import join
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject, ToneSystem
from sources.rows import Columns, image

VERSION = "2"
TABLE = "metadata.csv"

SOURCE = Source(
    name="pad_ufes_20",
    title="PAD-UFES-20: smartphone images of skin lesions with clinical data",
    version="1",
    url="https://doi.org/10.17632/zr7vgbcyr2.1",
    citation="Pacheco A G C et al. Data in Brief 32, 106221 (2020).",
    licence_id="CC-BY-4.0",
    attribution="PAD-UFES-20, Federal University of Espírito Santo; Pacheco et al. 2020",
    access="open",
    modality=Modality.SMARTPHONE,
    published_images=2_298,
    status="real data run",
    files=(
        SourceFile(name="imgs_part_1.zip", role="images"),
        SourceFile(name="imgs_part_2.zip", role="images", required=False),
        SourceFile(name="imgs_part_3.zip", role="images", required=False),
        SourceFile(name=TABLE, role="table"),
    ),
    groups=("patient_id", "lesion_id"),
    skin_tone=(ToneSystem.FITZPATRICK,),
    traps=(
        "images come in three archives; a mirror may hold only the first, and rows of the others are then quarantined",
        "the column is spelled fitspatrick; 804 rows are blank in every history field",
        "one photograph stands under two lesion ids of one patient",
        "PNG with an alpha channel; ink marks on some",
        "held out as a test set by convention elsewhere",
    ),
)

COLUMNS = Columns(
    diagnosis="diagnostic",
    patient_id="patient_id",
    lesion_id="lesion_id",
    age="age",
    sex="gender",
    site="region",
    fitzpatrick="fitspatrick",
    history=(
        "smoke",
        "drink",
        "background_father",
        "background_mother",
        "pesticide",
        "skin_cancer_history",
        "cancer_history",
        "has_piped_water",
        "has_sewage_system",
        "diameter_1",
        "diameter_2",
        "itch",
        "grew",
        "hurt",
        "changed",
        "bleed",
        "elevation",
        "biopsed",
    ),
)


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image. The diagnosis rests on histopathology where the lesion was biopsied, on a consensus elsewhere."""
    table = files.table(TABLE, "img_id", *COLUMNS.needed(), *COLUMNS.history)
    pairs, rejects = join("pad_ufes_20", table, files.members, lambda row: row.values["img_id"])
    yield from rejects
    for row, member in pairs:
        basis = DiagnosisBasis.HISTOPATHOLOGY if yes(row.values["biopsed"]) else DiagnosisBasis.CONSENSUS
        native_id = row.values["img_id"].rsplit(".", 1)[0]
        yield from image(
            SOURCE, table, row, member, COLUMNS, native_id=native_id, modality=Modality.SMARTPHONE, diagnosis_basis=basis
        )
