"""PASSION: smartphone photographs of children's skin in sub-Saharan Africa.

Layout as its own code reads it: `label.csv` (subject_id, country, age, sex, fitzpatrick, body_loc, impetig, conditions_PASSION),
`PASSION_split.csv` (subject_id, Split), images whose names start with the subject (letters and digits).
"""

import re
from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.fields import body_site, missing, yes
from sources.files import Files
from sources.joins import index, member_reject, stem
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject, ToneSystem
from sources.rows import Columns, image

VERSION = "1"
TABLE, SPLIT = "label.csv", "PASSION_split.csv"

SOURCE = Source(
    name="passion",
    title="PASSION: paediatric dermatology of sub-Saharan Africa",
    version="2024",
    url="https://passionderm.github.io",
    citation="Gottfrois P et al. MICCAI (2024).",
    licence_id="LicenseRef-PASSION",
    attribution="PASSION for Dermatology; Gottfrois et al. 2024",
    access="agreement",
    modality=Modality.SMARTPHONE,
    published_images=4_901,
    status="contract test",
    files=(
        SourceFile(name="PASSION_collection_2020_2023.zip", role="images"),
        SourceFile(name=TABLE, role="table"),
        SourceFile(name=SPLIT, role="table", required=False),
    ),
    groups=("patient_id",),
    skin_tone=(ToneSystem.FITZPATRICK,),
    traps=(
        "given on request, its direct address may not be shared: nothing is fetched, nothing released",
        "the label is a subject's, not an image's; the subject is the letters and digits at the start of a file name",
        "an empty impetig means no",
        "several sites in one field, separated by semicolons",
    ),
)


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image, with its subject's row."""
    table = files.table(TABLE, "subject_id", "conditions_PASSION", "impetig", "fitzpatrick", "body_loc", "country")
    rows, rejects = index(SOURCE.name, [table], lambda row: row.values["subject_id"])
    yield from rejects
    split = {}
    if files.has_table(SPLIT):
        found, rejects = index(SOURCE.name, [files.table(SPLIT, "subject_id", "Split")], lambda row: row.values["subject_id"])
        split = {key: row.values["Split"] for key, row in found.items()}
        yield from rejects
    has = table.rows[0].values if table.rows else {}
    columns = Columns(
        diagnosis="conditions_PASSION",
        patient_id="subject_id",
        age="age" if "age" in has else None,
        sex="sex" if "sex" in has else None,
        fitzpatrick="fitzpatrick",
        history=("country",),
    )
    seen: set[str] = set()
    for member in files.images():
        match = re.match(r"[A-Za-z]+[0-9]+", stem(member.name))
        key = match[0] if match else ""
        if key not in rows:
            yield member_reject(SOURCE.name, member, "image_without_row", f"no row of {TABLE} has subject {key!r}")
            continue
        seen.add(key)
        row = rows[key]
        places = [part.strip() for part in row.values["body_loc"].split(";") if not missing(part)]
        regions = {body_site(place) for place in places}
        history = {"country": row.values["country"]} | ({"impetiginized": "yes"} if _infected(row.values["impetig"]) else {})
        facts = {
            "body_site_raw": "; ".join(places) or None,
            "body_site": regions.pop() if len(regions) == 1 else None,
            "series": split.get(key),
            "diagnosis_basis": DiagnosisBasis.EXPERT,
            "history": {name: text for name, text in history.items() if not missing(text)},
        }
        native_id = member.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        yield from image(SOURCE, table, row, member, columns, native_id=native_id, modality=Modality.SMARTPHONE, **facts)
    for key in sorted(rows.keys() - seen):
        detail = f"{TABLE} line {rows[key].line}: no image of this subject"
        yield Reject(source=SOURCE.name, native_id=rows[key].values["subject_id"], reason="row_without_image", detail=detail)


def _infected(text: str) -> bool:
    """NaN means no."""
    return bool(yes(text)) or text.casefold().startswith("impetig")
