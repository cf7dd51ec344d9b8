"""DERM12345: dermoscopy of 40 sub-classes.

Layout as published: `derm12345_train_part_1`, `_2` and `derm12345_test` with `<label>/<image_id>.jpg`; `derm12345_metadata_train.csv` and
`_test.csv` with `image_id` and `label` (a code such as `bcc` or `ajb`), and patient ids in the ISIC supplement.
"""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.files import Files
from sources.joins import index, join
from sources.record import ImageRecord, Modality, Reject
from sources.rows import Columns, image

VERSION = "1"
SUPPLEMENT = "supplement.csv"

SOURCE = Source(
    name="derm12345",
    title="DERM12345: dermatoscopic images of 40 sub-classes",
    version="2024-40-classes",
    url="https://api.isic-archive.com/doi/derm12345",
    citation="Yilmaz A et al. Sci Data 11, 1302 (2024).",
    licence_id="CC-BY-4.0",
    attribution="DERM12345; Yilmaz et al. 2024, https://doi.org/10.34970/705541",
    access="open",
    modality=Modality.DERMOSCOPIC,
    published_images=12_345,
    status="contract test",
    files=(
        SourceFile(name="derm12345_train_part_1.zip", role="images"),
        SourceFile(name="derm12345_train_part_2.zip", role="images"),
        SourceFile(name="derm12345_test.zip", role="images"),
        SourceFile(name="derm12345_metadata_train.csv", role="table"),
        SourceFile(name="derm12345_metadata_test.csv", role="table"),
        SourceFile(name=SUPPLEMENT, role="table", required=False),
    ),
    groups=("patient_id",),
    overlaps=("isic_archive",),
    traps=(
        "the preprint counts 38 sub-classes, the paper 40: the version is pinned",
        "image names differ between the Dataverse and the ISIC export",
        "patient ids stand only in the supplement of the ISIC export",
    ),
)


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image; patients come from the supplement where it is there."""
    patients = {}
    if files.has_table(SUPPLEMENT):
        table = files.table(SUPPLEMENT, "image_id", "patient_id")
        rows, rejects = index(SOURCE.name, [table], lambda row: row.values["image_id"])
        patients = {key: row.values["patient_id"] or None for key, row in rows.items()}
        yield from rejects
    for part in ("train", "test"):
        table = files.table(f"derm12345_metadata_{part}.csv", "image_id", "label")
        members = [member for member in files.images() if member.archive.startswith(f"derm12345_{part}")]
        pairs, rejects = join(SOURCE.name, table, members, lambda row: row.values["image_id"])
        yield from rejects
        for row, member in pairs:
            native_id = row.values["image_id"].rsplit(".", 1)[0]
            columns = Columns(diagnosis="label", patient_id="patient_id" if "patient_id" in row.values else None)
            facts: dict[str, str | None] = {"series": part}
            if native_id.casefold() in patients:
                facts["patient_id"] = patients[native_id.casefold()]
            yield from image(SOURCE, table, row, member, columns, native_id=native_id, modality=Modality.DERMOSCOPIC, **facts)
