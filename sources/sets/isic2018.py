"""ISIC 2018, tasks 1 to 3.

Layout as published on the challenge's page: `ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv` (image, MEL,
NV, BCC, AKIEC, BKL, DF, VASC), `ISIC2018_Task3_Training_LesionGroupings.csv` (image, lesion_id, diagnosis_confirm_type), attribute
masks `<id>_attribute_<name>.png` (task 2), lesion masks `<id>_segmentation.png` (task 1).
"""

from collections.abc import Iterator, Sequence
from io import BytesIO

from sources.archives import Damage, Member
from sources.entry import Source, SourceFile
from sources.files import Files
from sources.isic import CHALLENGE_DATA, one_hot
from sources.joins import index, member_reject, stem
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject
from sources.rows import stray
from sources.tables import Row

VERSION = "1"
LABELS = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
ATTRIBUTES = ("pigment_network", "negative_network", "streaks", "milia_like_cyst", "globules")
GROUPINGS = "ISIC2018_Task3_Training_LesionGroupings.csv"
TRUTHS = tuple(f"ISIC2018_Task3_{part}_GroundTruth.csv" for part in ("Training", "Validation", "Test"))
_AT = f"{CHALLENGE_DATA}/2018"

BASIS = {
    "histopathology": DiagnosisBasis.HISTOPATHOLOGY,
    "serial imaging showing no change": DiagnosisBasis.FOLLOW_UP,
    "single image expert consensus": DiagnosisBasis.CONSENSUS,
    "confocal microscopy with consensus dermoscopy": DiagnosisBasis.CONFOCAL,
}


def _zip(name: str, role: str = "images", *, required: bool = True) -> SourceFile:
    return SourceFile(name=name, role=role, url=f"{_AT}/{name}", required=required)  # type: ignore[arg-type]


SOURCE = Source(
    name="isic2018",
    title="ISIC 2018 challenge: segmentation, attributes and diagnosis (tasks 1 to 3)",
    version="2018",
    url="https://challenge.isic-archive.com/data/#2018",
    citation="Codella N et al. arXiv:1902.03368 (2019); Tschandl P et al. Sci Data 5, 180161 (2018).",
    licence_id="CC-BY-NC-4.0",
    attribution="ISIC 2018 challenge; HAM10000 (Tschandl et al. 2018) and ISIC Archive contributors (Codella et al. 2019)",
    access="open",
    modality=Modality.DERMOSCOPIC,
    published_images=2_594 + 100 + 1_000 + 10_015 + 193 + 1_512,
    status="contract test",
    files=(
        _zip("ISIC2018_Task1-2_Training_Input.zip"),
        _zip("ISIC2018_Task1-2_Validation_Input.zip", required=False),
        _zip("ISIC2018_Task1-2_Test_Input.zip", required=False),
        _zip("ISIC2018_Task2_Training_GroundTruth_v3.zip", "extra", required=False),
        _zip("ISIC2018_Task3_Training_Input.zip"),
        _zip("ISIC2018_Task3_Validation_Input.zip", required=False),
        _zip("ISIC2018_Task3_Test_Input.zip", required=False),
        _zip("ISIC2018_Task3_Training_GroundTruth.zip", "extra"),
        _zip("ISIC2018_Task3_Validation_GroundTruth.zip", "extra", required=False),
        _zip("ISIC2018_Task3_Test_GroundTruth.zip", "extra", required=False),
        SourceFile(name=GROUPINGS, role="table", url=f"{_AT}/{GROUPINGS}", required=False),
    ),
    groups=("lesion_id",),
    overlaps=("ham10000", "isic2019", "isic_archive"),
    traps=(
        "task 3 is HAM10000 under the same ids; tasks 1 and 2 overlap ISIC 2016 and 2017",
        "lesion ids of task 3 stand in a table of their own",
        "attributes are masks: an attribute is there when its mask is not empty",
        "addresses and licence as commonly stated: confirm on the challenge's page",
    ),
)


def read(files: Files) -> Iterator[ImageRecord | Reject]:
    """One record an image id; an id that stands in two tasks is one image, with what both say."""
    truths = [files.table(name, "image", *LABELS) for name in TRUTHS if files.has_table(name)]
    rows, rejects = index(SOURCE.name, truths, lambda row: row.values["image"])
    yield from rejects
    lesions: dict[str, Row] = {}
    if files.has_table(GROUPINGS):
        lesions, rejects = index(SOURCE.name, [files.table(GROUPINGS, "image", "lesion_id")], lambda row: row.values["image"])
        yield from rejects
    masks = [member for member in files.extras if "_attribute_" in member.name]
    pictures = [member for member in files.images() if not stem(member.name).endswith("_superpixels")]
    found: dict[str, Member] = {}
    for member in pictures:
        if found.setdefault(stem(member.name), member) is not member:
            yield member_reject(
                SOURCE.name, member, "duplicate_member", "its id stands in another task's archive, which is used"
            )
    for member in files.others(pictures):
        yield stray(SOURCE, member, "not_a_photograph", "no picture of the tasks")
    attributes: dict[str, list[str]] = {}
    for item in _attributes(files, [mask for mask in masks if _of(mask) in found]):
        if isinstance(item, Reject):
            yield item
        else:
            attributes.setdefault(item[0], []).extend(item[1])
    for key in sorted(rows.keys() - found.keys()):
        detail = f"line {rows[key].line}: no archive holds an image of this id"
        yield Reject(source=SOURCE.name, native_id=rows[key].values["image"], reason="row_without_image", detail=detail)
    for key, member in sorted(found.items()):
        yield _record(member, rows.get(key), lesions.get(key), attributes.get(key))


def _of(mask: Member) -> str:
    return stem(mask.name).split("_attribute_")[0]


def _attributes(files: Files, masks: Sequence[Member]) -> Iterator[tuple[str, list[str]] | Reject]:
    """(id, [attribute]) for a mask with a point in it, (id, []) for an empty one."""
    from PIL import Image

    for mask, data in files.contents(masks):
        try:
            if isinstance(data, Damage):
                raise ValueError(data.detail)
            some = Image.open(BytesIO(data)).convert("L").getbbox() is not None
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            yield member_reject(SOURCE.name, mask, "field_unparsed", f"attribute mask: {error}", repaired=True)
            continue
        yield _of(mask), [stem(mask.name).split("_attribute_")[1]] if some else []


def _record(member: Member, truth: Row | None, lesion: Row | None, attributes: list[str] | None) -> ImageRecord:
    native_id = member.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    said = lesion.values if lesion else {}
    return ImageRecord(
        source=SOURCE.name,
        native_id=native_id,
        archive=member.archive,
        member=member.name,
        modality=Modality.DERMOSCOPIC,
        licence_id=SOURCE.licence_id,
        attribution=SOURCE.attribution,
        diagnosis_raw=one_hot(truth, LABELS) if truth else None,
        diagnosis_basis=BASIS.get(said.get("diagnosis_confirm_type", ""), DiagnosisBasis.UNKNOWN),
        lesion_id=said.get("lesion_id") or None,
        archive_id=native_id,
        series="Task3" if "Task3" in member.archive else "Task1-2",
        expert_concepts={} if attributes is None else {"isic2018": sorted(attributes)},
    )
