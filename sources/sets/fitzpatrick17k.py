"""Fitzpatrick17k: labels and skin types in a table (read from the real one), images at their publishers' addresses."""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.fields import fitzpatrick
from sources.files import Files, Link
from sources.joins import join, member_reject
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject, SkinTone, ToneSystem
from sources.rows import Columns, image
from sources.tables import Row

VERSION = "1"
TABLE = "fitzpatrick17k.csv"

SOURCE = Source(
    name="fitzpatrick17k",
    title="Fitzpatrick17k: clinical images with skin types",
    version="2021",
    url="https://github.com/mattgroh/fitzpatrick17k",
    citation="Groh M et al. CVPR Workshops (2021).",
    licence_id="LicenseRef-No-Clear-Rights",
    attribution="Fitzpatrick17k (Groh et al. 2021); images of DermaAmin and Atlas Dermatologico",
    access="open",
    modality=Modality.CLINICAL_CLOSE_UP,
    published_images=16_577,
    status="real rows run",
    files=(
        SourceFile(
            name=TABLE,
            role="table",
            url="https://raw.githubusercontent.com/mattgroh/fitzpatrick17k/main/fitzpatrick17k.csv",
        ),
    ),
    known_missing=41,
    licence_claims=(("annotations, as commonly stated: confirm", "CC-BY-NC-SA-3.0"),),
    linked=True,
    skin_tone=(ToneSystem.FITZPATRICK,),
    overlaps=("skincon", "skincap"),
    traps=(
        "the images belong to two atlases and are never released; only the table has a licence",
        "41 rows have no address; many others are dead, and each of those is a quarantine row",
        "-1 is a missing skin type, not a class",
        "quality control filled 504 rows: 17 wrongly labelled and 10 off topic are set aside",
        "many near-copies inside: see Fitzpatrick17k-C",
        "no patient id",
        "md5hash is an id: whether it is the digest of the file now at the address is not known",
    ),
)

COLUMNS = Columns(diagnosis="label")
WRONG = ("3 ", "4 ")
"""Verdicts of quality control (column `qc`) after which an image is not used: wrongly labelled, other."""


def links(files: Files) -> Iterator[Link]:
    """Every row's address."""
    for row in files.table(TABLE, "md5hash", "url").rows:
        if row.values["url"] and row.values["md5hash"].isalnum():
            yield Link(f"{row.values['md5hash']}.jpg", row.values["url"])


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record a row with an image; two sorts of raters, each with its own skin type."""
    table = files.table(TABLE, "md5hash", "fitzpatrick_scale", "fitzpatrick_centaur", "qc", "url", *COLUMNS.needed())
    pairs, rejects = join(SOURCE.name, table, files.images(), lambda row: row.values["md5hash"])
    no_address = {row.values["md5hash"] for row in table.rows if not row.values["url"]}
    for reject in rejects:
        if not (reject.reason == "row_without_image" and reject.native_id in no_address):
            yield reject
    for row, member in pairs:
        native_id = row.values["md5hash"]
        if row.values["qc"].startswith(WRONG):
            detail = f"{TABLE} line {row.line}: quality control says {row.values['qc']!r}"
            yield member_reject(SOURCE.name, member, "excluded_by_source", detail)
            continue
        facts = {"skin_tones": _tones(row), "diagnosis_basis": DiagnosisBasis.ATLAS}
        yield from image(SOURCE, table, row, member, COLUMNS, native_id=native_id, modality=Modality.CLINICAL_CLOSE_UP, **facts)


def _tones(row: Row) -> tuple[SkinTone, ...]:
    said = (("fitzpatrick_scale", "annotators of Scale AI"), ("fitzpatrick_centaur", "annotators of Centaur Labs"))
    return tuple(
        SkinTone(value, ToneSystem.FITZPATRICK, basis) for column, basis in said if (value := fitzpatrick(row.values[column]))
    )
