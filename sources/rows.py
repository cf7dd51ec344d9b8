"""Rows to records, written once: a reader names the columns, and every value that is not understood becomes a note."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sources import fields
from sources.archives import Member
from sources.entry import Source
from sources.joins import unparsed
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject, SkinTone, ToneSystem
from sources.tables import Row, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column holds what; None where the set has no such column. `history` columns are carried under their own names.

    `basis` maps the values of `basis_column` to what the diagnosis rests on.
    """

    diagnosis: str | None = None
    basis_column: str | None = None
    basis: Mapping[str, DiagnosisBasis] = field(default_factory=dict)
    patient_id: str | None = None
    lesion_id: str | None = None
    archive_id: str | None = None
    series: str | None = None
    age: str | None = None
    sex: str | None = None
    site: str | None = None
    fitzpatrick: str | None = None
    monk: str | None = None
    tone_basis: str = "metadata"
    caption: str | None = None
    licence: str | None = None
    attribution: str | None = None
    history: tuple[str, ...] = ()

    def needed(self) -> list[str]:
        """The columns that a table must have."""
        names = (self.diagnosis, self.basis_column, self.patient_id, self.lesion_id, self.archive_id, self.series, self.age)
        more = (self.sex, self.site, self.fitzpatrick, self.monk, self.caption, self.licence, self.attribution)
        return [name for name in (*names, *more) if name]


def image(
    entry: Source, table: Table, row: Row, member: Member, columns: Columns, *, native_id: str, modality: Modality, **facts: Any
) -> Iterator[ImageRecord | Reject]:
    """The record of a row and its member, after a note for each value that is not understood. `facts` override what columns say."""

    def text(name: str | None) -> str:
        return row.values.get(name, "") if name else ""

    def note(column: str | None) -> Reject:
        return unparsed(entry.name, table.name, row, member, native_id, column or "")

    years, sex = fields.age(text(columns.age)), fields.sex(text(columns.sex))
    if not years.ok:
        yield note(columns.age)
    if sex is None and not fields.missing(text(columns.sex)):
        yield note(columns.sex)
    if not fields.body_site_known(text(columns.site)):
        yield note(columns.site)
    tones: list[SkinTone] = []
    for column, parse, system in (
        (columns.fitzpatrick, fields.fitzpatrick, ToneSystem.FITZPATRICK),
        (columns.monk, fields.monk, ToneSystem.MONK),
    ):
        found = tone(text(column), parse, system, columns.tone_basis)
        if found:
            tones.append(found)
        elif not fields.missing(text(column)) and text(column) != "-1":
            yield note(column)
    basis = columns.basis.get(text(columns.basis_column), DiagnosisBasis.UNKNOWN)
    if (
        columns.basis_column
        and not fields.missing(text(columns.basis_column))
        and text(columns.basis_column) not in columns.basis
    ):
        yield note(columns.basis_column)
    said: dict[str, Any] = {
        "licence_id": entry.licence_id,
        "attribution": fields.value(text(columns.attribution)) or entry.attribution,
        "diagnosis_raw": fields.value(text(columns.diagnosis)),
        "diagnosis_basis": basis,
        "patient_id": fields.value(text(columns.patient_id)),
        "lesion_id": fields.value(text(columns.lesion_id)),
        "archive_id": fields.value(text(columns.archive_id)),
        "series": fields.value(text(columns.series)),
        "body_site_raw": fields.value(text(columns.site)),
        "body_site": fields.body_site(text(columns.site)),
        "age_years": years.years,
        "age_is_floor": years.is_floor,
        "sex": sex,
        "skin_tones": tuple(tones),
        "expert_caption": fields.value(text(columns.caption)),
        "history": {key: text(key) for key in columns.history if not fields.missing(text(key))},
    }
    place = {"source": entry.name, "native_id": native_id, "archive": member.archive, "member": member.name}
    yield ImageRecord(**place, modality=modality, **{**said, **facts})


def tone(text: str, parse: Callable[[str], str | None], system: ToneSystem, basis: str) -> SkinTone | None:
    """A skin-tone statement, or None when the text holds none."""
    value = parse(text)
    return SkinTone(value, system, basis) if value else None


def stray(entry: Source, member: Member, reason: str, why: str) -> Reject:
    """The reject of a member that is no image of the set, by its name."""
    return Reject(
        source=entry.name,
        native_id=member.name,
        reason=reason,
        detail=f"{member.archive}/{member.name}: {why}",
        archive=member.archive,
        member=member.name,
    )
