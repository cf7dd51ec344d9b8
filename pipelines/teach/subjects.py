"""The images that are taught, each with only what the stages may use, in the order of their packs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.annotations import annotated
from pipelines.columns import beside
from pipelines.lake import Lake
from prompts import schemas

TAUGHT = ("unique", "canonical")
"""Group statuses that get a trajectory: not redundant copies, not pictures whose labels contradict."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """An image to be taught, with only what the stages may use. Compared by identity."""

    image_id: str
    sha256: str
    kind: str
    node: str
    expert_concepts: Mapping[str, Any]
    measured: tuple[str, ...]


def subjects(lake: Lake, source: str) -> list[Subject]:
    """Images of a source that are taught: one of each copy set, split, labelled, of a modality with a schema, excluded by no image gate.

    In the order of packs, so that pictures are read one after the other. Memory: about 1 KB an image.
    """
    keep = lake.read("groups", columns=["image_id", "status", "split"], among=("source", pa.array([source])))
    kept = pc.and_(pc.is_in(keep.column("status"), value_set=pa.array(TAUGHT)), pc.not_equal(keep.column("split"), "excluded"))
    columns = ["image_id", "sha256", "modality", "expert_concepts", "pack", "pack_row"]
    images = lake.read("images", source=source, columns=columns)
    images = images.filter(pc.is_in(images.column("image_id"), value_set=keep.filter(kept).column("image_id").combine_chunks()))
    for table, column in (("diagnoses", "node"), ("evidence", "findings"), ("image_quality", "excluded")):
        images = beside(images, lake.read(table, source=source, columns=["image_id", column]))
    images = images.sort_by([("pack", "ascending"), ("pack_row", "ascending")])
    return [subject for batch in images.to_batches(max_chunksize=1000) for subject in _of_batch(lake, batch)]


def _of_batch(lake: Lake, batch: pa.RecordBatch) -> Iterator[Subject]:
    for row in annotated(lake, batch.to_pylist()):
        if row["node"] and row["modality"] != "pathology" and not row["excluded"]:
            yield Subject(
                image_id=row["image_id"],
                sha256=row["sha256"],
                kind=schemas.kind_of(row["modality"]),
                node=row["node"],
                expert_concepts=json.loads(row["expert_concepts"] or "{}"),
                measured=tuple(row["findings"] or ()),
            )
