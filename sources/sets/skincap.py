"""SkinCAP: dermatologists' captions of images of Fitzpatrick17k and DDI.

Columns as its users read them: skincap_file_path, ori_file_path, source (`fitzpatrick17k` or `ddi`), disease, skin_tone,
caption_zh_polish_en, and SkinCon's `Do not consider this image`.
"""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.fields import missing, value, yes
from sources.files import Files
from sources.joins import stem
from sources.record import Annotation, Reject

VERSION = "1"
TABLE = "skincap_v240623.csv"
TARGETS = {"fitzpatrick17k": "fitzpatrick17k", "ddi": "ddi"}

SOURCE = Source(
    name="skincap",
    title="SkinCAP: dermatologists' captions on Fitzpatrick17k and DDI",
    version="v240623",
    url="https://huggingface.co/datasets/joshuachou/SkinCAP",
    citation="Zhou J et al. arXiv:2405.18004 (2024).",
    licence_id="LicenseRef-Research-Only",
    attribution="SkinCAP; Zhou et al. 2024",
    access="registration",
    modality=None,
    published_images=None,
    status="contract test",
    files=(SourceFile(name=TABLE, role="table"),),
    annotates=("fitzpatrick17k", "ddi"),
    traps=(
        "images are those of Fitzpatrick17k and DDI, renamed: joined by the original file's name",
        "its skin_tone column mixes types 1 to 6 with DDI's bins: not carried, the images' own sets say it",
        "its successor SkinCaRe forbids copies, links and derivatives",
        "licence: confirm on the page; until then its captions are never released",
    ),
)


def read(files: Files) -> Iterator[Annotation | Reject]:
    """One caption an image."""
    table = files.table(TABLE, "ori_file_path", "source", "caption_zh_polish_en")
    seen: set[tuple[str, str]] = set()
    for row in table.rows:
        said = row.values
        target, native_id = TARGETS.get(said["source"].casefold().strip()), stem(said["ori_file_path"])
        where = f"{TABLE} line {row.line}"
        if target is None or not native_id:
            detail = f"{where}: source {said['source']!r}, file {said['ori_file_path']!r}"
            yield Reject(source=SOURCE.name, native_id=native_id, reason="row_malformed", detail=detail)
        elif (target, native_id) in seen:
            yield Reject(source=SOURCE.name, native_id=native_id, reason="duplicate_row", detail=f"{where}: captioned above")
        elif missing(said["caption_zh_polish_en"]):
            yield Reject(source=SOURCE.name, native_id=native_id, reason="row_malformed", detail=f"{where}: no caption")
        else:
            doubtful = bool(yes(said.get("Do not consider this image", "")))
            yield Annotation(
                source=SOURCE.name,
                target=target,
                native_id=native_id,
                licence_id=SOURCE.licence_id,
                attribution=SOURCE.attribution,
                expert_caption=None if doubtful else value(said["caption_zh_polish_en"]),
                doubtful=doubtful,
            )
        seen.add((target or "", native_id))
