"""Reader of the nine-class ISIC selection: no table, the label is the folder (`Train/melanoma/ISIC_0000002.jpg`)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from sources.archives import Member
from sources.catalogue import SOURCES
from sources.record import ImageRecord, Modality, Reject
from sources.tables import Table

VERSION = "1"


def read(tables: Mapping[str, Table], members: Sequence[Member]) -> Iterator[ImageRecord | Reject]:
    """One record a file. One ISIC id may stand in several folders, so the id of a record is the path without its extension."""
    entry = SOURCES["isic9"]
    for member in members:
        path = PurePosixPath(member.name)
        if len(path.parts) != 3:
            detail = f"{member.archive}/{member.name}: not <split>/<class>/<file>"
            yield Reject(
                source=entry.name, native_id=member.name, reason="image_without_row", detail=detail, member=member.name
            )
            continue
        yield ImageRecord(
            source=entry.name,
            native_id=str(path.with_suffix("")),
            archive=member.archive,
            member=member.name,
            modality=Modality.DERMOSCOPIC,
            licence_id=entry.licence_id,
            attribution=entry.attribution,
            diagnosis_raw=path.parts[1],
            archive_id=path.stem if path.stem.startswith("ISIC_") else None,
            series=path.parts[0],
        )
