"""BCN20000: dermoscopy of the Hospital Clínic de Barcelona.

Layout as published: archives `BCN_20k_train` and `BCN_20k_test`, tables `bcn_20k_train.csv` and `bcn_20k_test.csv` (bcn_filename,
age_approx, anatom_site_general, diagnosis, lesion_id, capture_date, sex, split).
"""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.files import Files
from sources.joins import join
from sources.record import ImageRecord, Modality, Reject
from sources.rows import Columns, image

VERSION = "1"

SOURCE = Source(
    name="bcn20000",
    title="BCN20000: dermoscopic lesions in the wild",
    version="2024-figshare",
    url="https://doi.org/10.6084/m9.figshare.24140028",
    citation="Hernández-Pérez C et al. Sci Data 11, 641 (2024).",
    licence_id="CC-BY-NC-4.0",
    attribution="BCN20000, Department of Dermatology, Hospital Clínic de Barcelona; Hernández-Pérez et al. 2024",
    access="open",
    modality=Modality.DERMOSCOPIC,
    published_images=18_946,
    status="contract test",
    files=(
        SourceFile(name="BCN_20k_train.zip", role="images"),
        SourceFile(name="bcn_20k_train.csv", role="table"),
        SourceFile(name="BCN_20k_test.zip", role="images", required=False),
        SourceFile(name="bcn_20k_test.csv", role="table", required=False),
    ),
    groups=("lesion_id",),
    overlaps=("isic2019", "isic_archive"),
    traps=(
        "18,946 images in the paper of 2024, 19,424 in the preprint of 2019: the version is pinned",
        "the out-of-distribution class stands only in the test part, which has no diagnosis",
        "uncropped: dark borders of the lens",
        "licence as commonly stated: confirm on the landing page",
        "capture dates are personal data and are not carried",
    ),
)


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image of both parts. The capture date is not carried."""
    for part in ("train", "test"):
        name = f"bcn_20k_{part}.csv"
        if not files.has_table(name):
            continue
        table = files.table(name, "bcn_filename", "age_approx", "sex", "anatom_site_general")
        members = [member for member in files.images() if member.archive.startswith(f"BCN_20k_{part}")]
        pairs, rejects = join(SOURCE.name, table, members, lambda row: row.values["bcn_filename"])
        yield from rejects
        lesion = "lesion_id" if table.rows and "lesion_id" in table.rows[0].values else None
        columns = Columns(age="age_approx", sex="sex", site="anatom_site_general", lesion_id=lesion)
        for row, member in pairs:
            native_id = row.values["bcn_filename"].rsplit(".", 1)[0]
            label = row.values.get("diagnosis") or None
            yield from image(
                SOURCE,
                table,
                row,
                member,
                columns,
                native_id=native_id,
                modality=Modality.DERMOSCOPIC,
                diagnosis_raw=label,
                series=part,
            )
