"""Derm7pt: a clinical and a dermoscopic image of each case, with the seven-point criteria.

Layout as published: `release_v0.zip` with `images/` and `meta/meta.csv` (case_num, diagnosis, seven_point_score, the seven criteria,
level_of_diagnostic_difficulty, elevation, location, sex, clinic, derm, case_id, notes, management). A reduced table with the criteria
and `derm` alone (read from a real copy) is understood too.
"""

from collections.abc import Iterator

from sources.archives import Member
from sources.entry import Source, SourceFile
from sources.fields import missing
from sources.files import Files
from sources.joins import member_reject, stem
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject
from sources.rows import Columns, image
from sources.tables import Row, Table
from sources.vocabulary import DERM7PT

VERSION = "1"
TABLE = "meta.csv"
SOURCE = Source(
    name="derm7pt",
    title="Derm7pt: seven-point checklist, clinical and dermoscopic pairs",
    version="release_v0",
    url="https://derm.cs.sfu.ca",
    citation="Kawahara J et al. IEEE J Biomed Health Inform 23, 538 (2019).",
    licence_id="LicenseRef-Research-Only",
    attribution="Derm7pt; Kawahara et al. 2019, after Argenziano et al., Interactive Atlas of Dermoscopy",
    access="registration",
    modality=None,
    published_images=2_022,
    status="real rows run",
    files=(
        SourceFile(name="release_v0.zip", role="images"),
        SourceFile(name=TABLE, role="table", required=False),
    ),
    licence_claims=(("a repackaged table: confirm", "CC-BY-NC-SA-4.0"),),
    groups=("lesion_id",),
    traps=(
        "file names differ from the table in case (NEL/Nel026.jpg): matched without case",
        "the clinical and the dermoscopic image of a case are one group",
        "criteria were judged on the dermoscopic image: the clinical one carries none",
        "50 of 305 concept profiles carry contradictory labels",
        "9 near-copies, 1 irrelevant image and 2 label errors were found by others",
    ),
)

HISTORY = ("level_of_diagnostic_difficulty", "elevation", "notes")


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """Two records a case (one where the table names one image)."""
    table = files.table(TABLE, "diagnosis", "derm", *DERM7PT)
    members = {_key(member.name): member for member in files.images()}
    seen: set[str] = set()
    for row in table.rows:
        for column, modality in (("derm", Modality.DERMOSCOPIC), ("clinic", Modality.CLINICAL_CLOSE_UP)):
            path = row.values.get(column, "")
            if missing(path):
                continue
            key = _key(path)
            if key in seen:
                detail = f"{TABLE} line {row.line}: {column} {path} was named by a line above"
                yield Reject(source=SOURCE.name, native_id=path, reason="duplicate_row", detail=detail)
            elif key not in members:
                detail = f"{TABLE} line {row.line}: {column} {path} is in no archive"
                yield Reject(source=SOURCE.name, native_id=path, reason="row_without_image", detail=detail)
            else:
                yield from _image(table, row, members[key], path, modality)
            seen.add(key)
    for key in sorted(members.keys() - seen):
        yield member_reject(SOURCE.name, members[key], "image_without_row", f"no row of {TABLE} names it")


def _key(path: str) -> str:
    """Folder and stem, without case: stems alone repeat in the atlas."""
    parts = path.replace("\\", "/").split("/")
    return "/".join([*(part.casefold() for part in parts[-2:-1]), stem(parts[-1])])


def _image(table: Table, row: Row, member: Member, path: str, modality: Modality) -> Iterator[ImageRecord | Reject]:
    said = row.values
    site = "location" if "location" in said else None
    columns = Columns(diagnosis="diagnosis", sex="sex" if "sex" in said else None, site=site)
    concepts: dict[str, str] = {}
    for name, values in DERM7PT.items() if modality is Modality.DERMOSCOPIC else ():
        if said[name] in values:
            concepts[name] = said[name]
        elif not missing(said[name]):
            yield member_reject(
                SOURCE.name, member, "field_unparsed", f"{TABLE} line {row.line}: {name} {said[name]!r}", repaired=True
            )
    case = said.get("case_id", "") or said.get("case_num", "")
    facts = {
        "lesion_id": case or None,
        "expert_concepts": concepts,
        "diagnosis_basis": DiagnosisBasis.ATLAS,
        "history": {name: said[name] for name in HISTORY if not missing(said.get(name, ""))},
    }
    native_id = path.replace("\\", "/").rsplit(".", 1)[0]
    yield from image(SOURCE, table, row, member, columns, native_id=native_id, modality=modality, **facts)
