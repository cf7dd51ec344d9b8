"""SkinCon: 48 concepts that dermatologists saw in images of Fitzpatrick17k and DDI.

Layout as published: `annotations_fitzpatrick17k.csv` and `annotations_ddi.csv`: ImageID, a 0/1 column a concept, and `Do not consider this
image`.
"""

from collections.abc import Iterator

from sources.entry import Source, SourceFile
from sources.fields import yes
from sources.files import Files
from sources.joins import index
from sources.record import Annotation, Reject
from sources.tables import Row

VERSION = "1"
FLAG = "Do not consider this image"
TARGETS = {"annotations_fitzpatrick17k.csv": "fitzpatrick17k", "annotations_ddi.csv": "ddi"}
_AT = "https://skincon-dataset.github.io/files"

SOURCE = Source(
    name="skincon",
    title="SkinCon: dermatologists' concepts on Fitzpatrick17k and DDI",
    version="2022",
    url="https://skincon-dataset.github.io",
    citation="Daneshjou R et al. NeurIPS Datasets and Benchmarks (2022).",
    licence_id="CC-BY-NC-SA-4.0",
    attribution="SkinCon; Daneshjou et al. 2022",
    access="open",
    modality=None,
    published_images=None,
    status="contract test",
    files=tuple(SourceFile(name=name, role="table", url=f"{_AT}/{name}", required=False) for name in TARGETS),
    annotates=("fitzpatrick17k", "ddi"),
    traps=(
        "images are those of Fitzpatrick17k and DDI: nothing without them",
        "images that its annotators asked not to consider are marked doubtful and lend no concept",
        "22 of 48 concepts were seen 50 times or more",
        "licence: confirm on the page",
    ),
)


def read(files: Files) -> Iterator[Annotation | Reject]:
    """One annotation an image, on the set that its file is about."""
    for name, target in TARGETS.items():
        if not files.has_table(name):
            continue
        table = files.table(name, "ImageID", FLAG)
        rows, rejects = index(SOURCE.name, [table], lambda row: row.values["ImageID"])
        yield from rejects
        for row in rows.values():
            yield from _annotation(name, target, row)


def _annotation(name: str, target: str, row: Row) -> Iterator[Annotation | Reject]:
    native_id = row.values["ImageID"].rsplit(".", 1)[0]
    concepts = []
    for column, text in row.values.items():
        if column in ("ImageID", FLAG, "Unnamed: 0"):
            continue
        if yes(text) is None and text:
            detail = f"{name} line {row.line}: {column} {text!r}"
            yield Reject(source=SOURCE.name, native_id=native_id, reason="field_unparsed", detail=detail, repaired=True)
        elif yes(text):
            concepts.append(column)
    doubtful = bool(yes(row.values[FLAG]))
    yield Annotation(
        source=SOURCE.name,
        target=target,
        native_id=native_id,
        licence_id=SOURCE.licence_id,
        attribution=SOURCE.attribution,
        expert_concepts={} if doubtful else {"skincon": sorted(concepts)},
        doubtful=doubtful,
    )
