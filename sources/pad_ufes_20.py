"""Reader of PAD-UFES-20: smartphone photographs (PNG) and one table of 26 columns, most of them clinical history."""

from collections.abc import Iterator, Mapping, Sequence

from sources.archives import Member
from sources.catalogue import SOURCES
from sources.fields import age, body_site, missing, sex, value
from sources.joins import join, unparsed
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject, SkinTone, ToneSystem
from sources.tables import Row, Table

VERSION = "1"
TABLE = "metadata.csv"

HISTORY = (
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
)

TONES = {"1": "I", "2": "II", "3": "III", "4": "IV", "5": "V", "6": "VI"}


def read(tables: Mapping[str, Table], members: Sequence[Member]) -> Iterator[ImageRecord | Reject]:
    """One record an image. The diagnosis rests on histopathology where the lesion was biopsied, on a consensus elsewhere."""
    table = tables[TABLE]
    table.need("patient_id", "lesion_id", "age", "gender", "fitspatrick", "region", "diagnostic", "img_id", "biopsed")
    pairs, rejects = join("pad_ufes_20", table, members, lambda row: row.values["img_id"])
    yield from rejects
    for row, member in pairs:
        years, tone = age(row.values["age"]), _tone(row.values["fitspatrick"])
        if not years.ok:
            yield unparsed("pad_ufes_20", TABLE, row, member, row.values["img_id"], "age")
        if tone is None and not missing(row.values["fitspatrick"]):
            yield unparsed("pad_ufes_20", TABLE, row, member, row.values["img_id"], "fitspatrick")
        yield _record(row, member, years.years, years.is_floor, tone)


def _tone(text: str) -> SkinTone | None:
    roman = TONES.get(text.removesuffix(".0"))
    return SkinTone(roman, ToneSystem.FITZPATRICK, "metadata") if roman else None


def _record(row: Row, member: Member, years: float | None, is_floor: bool, tone: SkinTone | None) -> ImageRecord:
    entry, values = SOURCES["pad_ufes_20"], row.values
    biopsied = values["biopsed"].casefold() == "true"
    return ImageRecord(
        source=entry.name,
        native_id=values["img_id"].rsplit(".", 1)[0],
        archive=member.archive,
        member=member.name,
        modality=Modality.SMARTPHONE,
        licence_id=entry.licence_id,
        attribution=entry.attribution,
        diagnosis_raw=value(values["diagnostic"]),
        diagnosis_basis=DiagnosisBasis.HISTOPATHOLOGY if biopsied else DiagnosisBasis.CONSENSUS,
        patient_id=value(values["patient_id"]),
        lesion_id=value(values["lesion_id"]),
        body_site_raw=value(values["region"]),
        body_site=body_site(values["region"]),
        age_years=years,
        age_is_floor=is_floor,
        sex=sex(values["gender"]),
        skin_tone=tone,
        history={key: values[key] for key in HISTORY if key in values and not missing(values[key])},
    )
