"""Reader of HAM10000: two image archives and one table (lesion_id, image_id, dx, dx_type, age, sex, localization)."""

from collections.abc import Iterator, Mapping, Sequence

from sources.archives import Member
from sources.catalogue import SOURCES
from sources.fields import age, body_site, sex, value
from sources.joins import join, unparsed
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject
from sources.tables import Row, Table

VERSION = "1"
TABLE = "HAM10000_metadata.csv"

BASIS = {
    "histo": DiagnosisBasis.HISTOPATHOLOGY,
    "confocal": DiagnosisBasis.CONFOCAL,
    "follow_up": DiagnosisBasis.FOLLOW_UP,
    "consensus": DiagnosisBasis.CONSENSUS,
}


def read(tables: Mapping[str, Table], members: Sequence[Member]) -> Iterator[ImageRecord | Reject]:
    """One record an image; the image id is also its id in the ISIC Archive."""
    table = tables[TABLE]
    table.need("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")
    pairs, rejects = join("ham10000", table, members, lambda row: row.values["image_id"])
    yield from rejects
    for row, member in pairs:
        years = age(row.values["age"])
        if not years.ok:
            yield unparsed("ham10000", TABLE, row, member, row.values["image_id"], "age")
        yield _record(row, member, years.years, years.is_floor)


def _record(row: Row, member: Member, years: float | None, is_floor: bool) -> ImageRecord:
    entry, values = SOURCES["ham10000"], row.values
    return ImageRecord(
        source=entry.name,
        native_id=values["image_id"],
        archive=member.archive,
        member=member.name,
        modality=Modality.DERMOSCOPIC,
        licence_id=entry.licence_id,
        attribution=entry.attribution,
        diagnosis_raw=value(values["dx"]),
        diagnosis_basis=BASIS.get(values["dx_type"], DiagnosisBasis.UNKNOWN),
        lesion_id=value(values["lesion_id"]),
        archive_id=values["image_id"],
        body_site_raw=value(values["localization"]),
        body_site=body_site(values["localization"]),
        age_years=years,
        age_is_floor=is_floor,
        sex=sex(values["sex"]),
    )
