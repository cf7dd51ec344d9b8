"""The nine-class ISIC selection: no table, the label is the folder (`Train/melanoma/ISIC_0000002.jpg`; read from the real archive)."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from sources.entry import Source, SourceFile
from sources.files import Files
from sources.record import ImageRecord, Modality, Reject
from sources.rows import stray

VERSION = "2"

SOURCE = Source(
    name="isic9",
    title="ISIC nine-class selection (repackaged, 180 x 180)",
    version="train-test-folders",
    url="https://www.isic-archive.com",
    citation="ISIC Archive, selection by a third party.",
    licence_id="LicenseRef-ISIC-Mixed",
    attribution="ISIC Archive contributors; the repackaged copy names none of them",
    access="open",
    modality=Modality.DERMOSCOPIC,
    published_images=2_357,
    status="real data run",
    files=(SourceFile(name="isic9.zip", role="images"),),
    overlaps=("ham10000", "bcn20000", "isic_archive"),
    traps=(
        "licence and attribution of each image are lost: nothing of it is released",
        "the same file stands in several class folders with contradicting labels, and in Train and Test",
        "squashed to a square: aspect ratio is gone",
    ),
)


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record a file. One ISIC id may stand in several folders, so the id of a record is the path without its extension."""
    for member in files.members:
        path = PurePosixPath(member.name)
        if len(path.parts) != 3:
            yield stray(SOURCE, member, "image_without_row", "not <split>/<class>/<file>")
            continue
        yield ImageRecord(
            source=SOURCE.name,
            native_id=str(path.with_suffix("")),
            archive=member.archive,
            member=member.name,
            modality=Modality.DERMOSCOPIC,
            licence_id=SOURCE.licence_id,
            attribution=SOURCE.attribution,
            diagnosis_raw=path.parts[1],
            archive_id=path.stem if path.stem.startswith("ISIC_") else None,
            series=path.parts[0],
        )
