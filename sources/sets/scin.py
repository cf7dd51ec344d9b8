"""SCIN: photographs that people took of their own skin, with dermatologists' differential diagnoses.

Columns as in the set's own schema: cases (case_id, age_group, sex_at_birth, fitzpatrick_skin_type, textures_*, body_parts_*,
condition_symptoms_*, other_symptoms_*, related_category, condition_duration, image_1_path to image_3_path with _shot_type), labels
(case_id, dermatologist_gradable_for_skin_condition_1.., dermatologist_skin_condition_on_label_name, weighted_skin_condition_label,
dermatologist_fitzpatrick_skin_type_label_1..3, monk_skin_tone_label_india, monk_skin_tone_label_us).
"""

import ast
from collections.abc import Iterator, Mapping

from sources.archives import Member
from sources.entry import Source, SourceFile
from sources.fields import fitzpatrick, missing, monk, sex, yes
from sources.files import Files, Link
from sources.joins import member_reject, stem, unparsed
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject, SkinTone, ToneSystem
from sources.tables import Row, Table

VERSION = "1"
CASES, LABELS = "scin_cases.csv", "scin_labels.csv"
BUCKET = "https://storage.googleapis.com/dx-scin-public-data"

SOURCE = Source(
    name="scin",
    title="SCIN: crowdsourced photographs of skin conditions",
    version="1",
    url="https://github.com/google-research-datasets/scin",
    citation="Ward A et al. JAMA Netw Open 7, e2446615 (2024).",
    licence_id="LicenseRef-SCIN-Data-Use",
    attribution="SCIN, Google and Stanford Medicine; Ward et al. 2024",
    access="open",
    modality=Modality.SMARTPHONE,
    published_images=10_408,
    status="contract test",
    files=(
        SourceFile(name=CASES, role="table", url=f"{BUCKET}/dataset/{CASES}"),
        SourceFile(name=LABELS, role="table", url=f"{BUCKET}/dataset/{LABELS}"),
    ),
    linked=True,
    groups=("lesion_id",),
    skin_tone=(ToneSystem.FITZPATRICK, ToneSystem.MONK),
    traps=(
        "no person id: a case is the unit of grouping",
        "case ids may be negative numbers: they stay text",
        "up to three images a case: all are read, also where others use the first only",
        "15 images appear 42 times; 48 gradable cases have no label",
        "labels are weighted differentials in Python syntax: kept as weights, none is called the diagnosis unless it stands alone",
        "self-reported and up to three dermatologists' Fitzpatrick types and two Monk tones: each kept with who said it",
        "the licence forbids re-identification; image count: confirm",
    ),
)

FLAGS = ("textures_", "condition_symptoms_", "other_symptoms_", "body_parts_", "related_category", "condition_duration")
SITES = {
    "head_or_neck": "head_neck",
    "arm": "upper_limb",
    "palm": "upper_limb",
    "back_of_hand": "upper_limb",
    "torso_front": "trunk_front",
    "torso_back": "trunk_back",
    "genitalia_or_groin": "groin_genital_perineum",
    "buttocks": "gluteal_buttocks",
    "leg": "lower_limb",
    "foot_top_or_side": "lower_limb",
    "foot_sole": "lower_limb",
}


def links(files: Files) -> Iterator[Link]:
    """The address of every image of every case."""
    for row in files.table(CASES, "case_id").rows:
        for path in _paths(row).values():
            yield Link(path.rsplit("/", 1)[-1], f"{BUCKET}/{path}")


def _paths(row: Row) -> dict[int, str]:
    """Image number to path in the bucket."""
    found = {number: row.values.get(f"image_{number}_path", "") for number in (1, 2, 3)}
    return {number: path for number, path in found.items() if not missing(path) and ".." not in path}


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image; the case is its lesion."""
    cases = files.table(CASES, "case_id", "age_group", "sex_at_birth", "fitzpatrick_skin_type", "image_1_path")
    labels = files.table(LABELS, "case_id", "weighted_skin_condition_label")
    rows, rejects = _by_case(labels)
    yield from rejects
    seen: set[str] = set()
    members = {stem(member.name): member for member in files.images()}
    used: set[str] = set()
    for case in cases.rows:
        case_id = case.values["case_id"]
        if not case_id or case_id in seen:
            reason = "duplicate_row" if case_id else "row_malformed"
            yield Reject(source=SOURCE.name, native_id=case_id, reason=reason, detail=f"{CASES} line {case.line}")
            continue
        seen.add(case_id)
        for number, path in _paths(case).items():
            key = stem(path)
            member = members.get(key)
            if member is None:
                detail = f"{CASES} line {case.line}: image_{number}_path {path} is not here"
                yield Reject(source=SOURCE.name, native_id=key, reason="row_without_image", detail=detail)
            elif key in used:
                detail = "a second case names this image"
                yield member_reject(SOURCE.name, member, "duplicate_row", f"{CASES} line {case.line}: {detail}")
            else:
                used.add(key)
                yield from _image(case, rows.get(case_id), member, number)
    for key in sorted(members.keys() - used):
        yield member_reject(SOURCE.name, members[key], "image_without_row", f"no row of {CASES} names this image")


def _by_case(labels: Table) -> tuple[dict[str, Row], list[Reject]]:
    """Rows by case id, kept as text: `index` would take `-1.5` for a file name."""
    rows, rejects = {}, []
    for row in labels.rows:
        if rows.setdefault(row.values["case_id"], row) is not row:
            detail = f"{LABELS} line {row.line}: a second row of this case"
            rejects.append(Reject(source=SOURCE.name, native_id=row.values["case_id"], reason="duplicate_row", detail=detail))
    return rows, rejects


def _image(case: Row, label: Row | None, member: Member, number: int) -> Iterator[ImageRecord | Reject]:
    native_id = member.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    differential: dict[str, float] = {}
    if label and not missing(label.values["weighted_skin_condition_label"]):
        try:
            differential = _weights(label.values["weighted_skin_condition_label"])
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            yield unparsed(SOURCE.name, LABELS, label, member, native_id, "weighted_skin_condition_label")
    if sex(case.values["sex_at_birth"]) is None and case.values["sex_at_birth"] not in ("", "OTHER_OR_UNSPECIFIED"):
        yield unparsed(SOURCE.name, CASES, case, member, native_id, "sex_at_birth")
    sites = [
        name.removeprefix("body_parts_") for name in case.values if name.startswith("body_parts_") and yes(case.values[name])
    ]
    regions = {SITES.get(site) for site in sites}
    shot = case.values.get(f"image_{number}_shot_type", "")
    yield ImageRecord(
        source=SOURCE.name,
        native_id=native_id,
        archive=member.archive,
        member=member.name,
        modality=Modality.SMARTPHONE,
        licence_id=SOURCE.licence_id,
        attribution=SOURCE.attribution,
        diagnosis_raw=next(iter(differential)) if len(differential) == 1 else None,
        diagnosis_basis=DiagnosisBasis.CONSENSUS if differential else DiagnosisBasis.UNKNOWN,
        differential=differential,
        lesion_id=case.values["case_id"],
        series=shot or None,
        body_site_raw="; ".join(sites) or None,
        body_site=regions.pop() if len(regions) == 1 else None,
        sex=sex(case.values["sex_at_birth"]),
        skin_tones=_tones(case, label),
        history=_history(case),
    )


def _weights(text: str) -> dict[str, float]:
    """Labels and weights, the heaviest first. Raises ValueError for anything else."""
    found = ast.literal_eval(text)
    if not isinstance(found, dict):
        raise ValueError("not a dictionary")
    weights = {str(name): float(weight) for name, weight in found.items()}
    if any(not 0 <= weight <= 1 for weight in weights.values()):
        raise ValueError("a weight outside 0 to 1")
    return dict(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


def _tones(case: Row, label: Row | None) -> tuple[SkinTone, ...]:
    said = [(case.values["fitzpatrick_skin_type"], ToneSystem.FITZPATRICK, "self-report")]
    values: Mapping[str, str] = label.values if label else {}
    for n in (1, 2, 3):
        text = values.get(f"dermatologist_fitzpatrick_skin_type_label_{n}", "")
        said.append((text, ToneSystem.FITZPATRICK, f"dermatologist {n}"))
    said += [(values.get(f"monk_skin_tone_label_{at}", ""), ToneSystem.MONK, f"raters in {at}") for at in ("india", "us")]
    parse = {ToneSystem.FITZPATRICK: fitzpatrick, ToneSystem.MONK: monk}
    return tuple(SkinTone(v, system, basis) for text, system, basis in said if (v := parse[system](text)))


def _history(case: Row) -> dict[str, str]:
    """Age group, symptoms, textures and duration as the person gave them."""
    said = {name: text for name, text in case.values.items() if name.startswith(FLAGS) and (yes(text) or name in FLAGS)}
    group = case.values["age_group"]
    if not missing(group) and group != "AGE_UNKNOWN":
        said["age_group"] = group
    return {name: text for name, text in said.items() if not missing(text) and not name.startswith("body_parts_")}
