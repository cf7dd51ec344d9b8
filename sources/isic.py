"""The ISIC Archive's own schema: any collection of it, from a metadata table and images named by ISIC id.

Columns as the archive exports them (`isic_id, attribution, copyright_license, age_approx, sex, anatom_site_general` or `anatom_site_1`
to `_5`, `diagnosis_1` to `_5` or the older `diagnosis`, `diagnosis_confirm_type, image_type, fitzpatrick_skin_type, patient_id,
lesion_id`); a table holds those that its images use.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sources.entry import Source
from sources.fields import body_site, missing, value
from sources.files import Files, Link
from sources.joins import join
from sources.licences import isic_licence
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject
from sources.rows import Columns, image, stray
from sources.tables import Row, Table

VERSION = "1"
TABLE = "metadata.csv"
CHALLENGE_DATA = "https://isic-challenge-data.s3.amazonaws.com"

BASIS = {
    "histopathology": DiagnosisBasis.HISTOPATHOLOGY,
    "serial imaging showing no change": DiagnosisBasis.FOLLOW_UP,
    "single image expert consensus": DiagnosisBasis.CONSENSUS,
    "confocal microscopy with consensus dermoscopy": DiagnosisBasis.CONFOCAL,
    "single contributor clinical assessment": DiagnosisBasis.EXPERT,
}

MODALITIES = {
    "dermoscopic": Modality.DERMOSCOPIC,
    "clinical: overview": Modality.CLINICAL_OVERVIEW,
    "clinical: close-up": Modality.CLINICAL_CLOSE_UP,
    "TBP tile: close-up": Modality.TBP,
    "TBP tile: overview": Modality.TBP,
    "clinical": Modality.CLINICAL_CLOSE_UP,
    "overview": Modality.CLINICAL_OVERVIEW,
}
"""Values of `image_type`, with the two that older exports used. `RCM: …` is confocal microscopy."""

HISTORY = (
    "clin_size_long_diam_mm",
    "dermoscopic_type",
    "family_hx_mm",
    "personal_hx_mm",
    "melanocytic",
    "nevus_type",
    "concomitant_biopsy",
    "acquisition_day",
)
SITES = tuple(f"anatom_site_{level}" for level in range(1, 6))
DIAGNOSES = tuple(f"diagnosis_{level}" for level in range(1, 6))


def links(files: Files, entry: Source) -> Iterator[Link]:
    """The address of every image of `entry`, from a snapshot's `url` column; a table without it belongs to images that are here already."""
    for row in files.table(TABLE, "isic_id").rows if entry.linked else ():
        if row.values.get("url"):
            yield Link(f"{row.values['isic_id']}.jpg", row.values["url"])


def read(files: Files, entry: Source) -> Iterator[ImageRecord | Reject]:
    """One record an image, under its own licence, attribution and modality."""
    table = files.table(TABLE, "isic_id")
    columns = _columns(table)
    pairs, rejects = join(entry.name, table, files.images(), lambda row: row.values["isic_id"])
    yield from rejects
    for row, member in pairs:
        said = row.values
        if said.get("image_type", "").startswith("RCM"):
            yield stray(entry, member, "not_a_photograph", f"confocal microscopy ({said['image_type']})")
        elif said.get("image_manipulation", "") == "synthetic":
            yield stray(entry, member, "not_a_photograph", "marked as synthetic")
        else:
            yield from _image(entry, table, row, member, columns)


def _image(entry: Source, table: Table, row: Row, member: Any, columns: Columns) -> Iterator[ImageRecord | Reject]:
    said = row.values
    label, site = deepest(row, DIAGNOSES) or value(said.get("diagnosis", "")), deepest(row, SITES)
    facts: dict[str, Any] = {
        "diagnosis_raw": label.split(":")[-1] if label else None,
        "archive_id": said["isic_id"],
        "history": {key: said[key] for key in HISTORY if not missing(said.get(key, ""))},
        **per_image(entry, row),
    }
    if site:
        facts |= {"body_site_raw": site, "body_site": region(site)}
    kind = said.get("image_type", "")
    modality = MODALITIES.get(kind) or entry.modality or Modality.DERMOSCOPIC
    yield from image(entry, table, row, member, columns, native_id=said["isic_id"], modality=modality, **facts)


def _columns(table: Table) -> Columns:
    """The columns that this export has."""
    has = set(table.rows[0].values) if table.rows else set()

    def one(*names: str) -> str | None:
        return next((name for name in names if name in has), None)

    return Columns(
        basis_column=one("diagnosis_confirm_type"),
        basis=BASIS,
        patient_id=one("patient_id"),
        lesion_id=one("lesion_id"),
        age=one("age_approx", "age"),
        sex=one("sex"),
        site=one("anatom_site_general"),
        fitzpatrick=one("fitzpatrick_skin_type"),
    )


def per_image(entry: Source, row: Row) -> dict[str, str]:
    """Licence and attribution of an image's own row; without them the entry's."""
    licence = row.values.get("copyright_license", "")
    said: Mapping[str, str | None] = {
        "licence_id": isic_licence(licence) if not missing(licence) else entry.licence_id,
        "attribution": value(row.values.get("attribution", "")) or entry.attribution,
    }
    return {key: text for key, text in said.items() if text}


def deepest(row: Row, levels: Sequence[str]) -> str | None:
    """The levels that a row fills, top down, joined by `:`; None when it fills none."""
    said = [row.values.get(level, "") for level in levels]
    return ":".join(text for text in said if not missing(text)) or None


def region(path: str) -> str | None:
    """The body region of an anatomic site given top down: the most precise level that names one, the third at most."""
    levels = path.split(":")[:3]
    if any("axilla" in level.casefold() for level in levels):
        return "shoulder_axilla"
    return next((found for level in reversed(levels[:2]) if (found := body_site(level))), None)


def one_hot(row: Row, labels: Sequence[str]) -> str | None:
    """The label whose column is 1; None when none is, or several are."""
    hot = [label for label in labels if row.values.get(label, "").strip() in ("1", "1.0")]
    return hot[0] if len(hot) == 1 else None
