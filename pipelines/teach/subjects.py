"""The images that are taught, each with only what the stages may use, in the order of their packs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.annotations import annotated
from pipelines.columns import beside
from pipelines.lake import Lake
from prompts import schemas
from quality.claims import NOTHING, Known

BATCH = 1024

RECORD = ("body_site", "body_site_raw", "sex", "age_years")
"""Columns of `images` that claims are held against."""

TAUGHT = ("unique", "canonical")
"""Group statuses that get a trajectory: not redundant copies, not pictures whose labels contradict."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """An image to be taught: what the stages may use, and in `known` what only the checks may. Compared by identity."""

    image_id: str
    sha256: str
    kind: str
    node: str
    expert_concepts: Mapping[str, Any]
    measured: tuple[str, ...]
    known: Known = NOTHING


TABLES = ("annotations", "diagnoses", "evidence", "groups", "image_quality", "images")
"""What subjects are made of. Annotations of every source: they speak of images of others."""


class Subjects(Sequence[Subject]):
    """The subjects of a source, made from columns as they are asked for. Memory: about 300 bytes an image, and one batch."""

    def __init__(self, lake: Lake, columns: pa.Table) -> None:
        """`columns` has a row a subject."""
        self._lake, self._columns = lake, columns

    def __len__(self) -> int:
        """How many there are."""
        return self._columns.num_rows

    def __getitem__(self, at: Any) -> Any:
        """One subject, or a list of them."""
        chosen = range(len(self))[at]
        found = list(self._of(self._columns.take(pa.array([chosen] if isinstance(chosen, int) else list(chosen), pa.int64()))))
        return found[0] if isinstance(chosen, int) else found

    def __iter__(self) -> Iterator[Subject]:
        """All, a batch at a time."""
        for start in range(0, len(self), BATCH):
            yield from self._of(self._columns.slice(start, BATCH))

    def _of(self, columns: pa.Table) -> Iterator[Subject]:
        for row in annotated(self._lake, columns.to_pylist()):
            yield Subject(
                image_id=row["image_id"],
                sha256=row["sha256"],
                kind=schemas.kind_of(row["modality"]),
                node=row["node"],
                expert_concepts=json.loads(row["expert_concepts"] or "{}"),
                measured=tuple(row["findings"] or ()),
                known=_known(row),
            )


def _known(row: Mapping[str, Any]) -> Known:
    return Known(
        measured=tuple(row["findings"] or ()),
        traces=dict(zip(schemas.COLOURS, row["traces"] or (), strict=False)),
        site=row["body_site"],
        site_raw=row["body_site_raw"],
        sex=row["sex"],
        age_years=row["age_years"],
    )


def subjects(lake: Lake, source: str) -> Subjects:
    """Images of a source that are taught: one of each copy set, split, labelled, of a modality with a schema, excluded by no image gate.

    In the order of packs, so that pictures are read one after the other.
    """
    keep = lake.read("groups", columns=["image_id", "status", "split"], among=("source", pa.array([source])))
    kept = pc.and_(pc.is_in(keep.column("status"), value_set=pa.array(TAUGHT)), pc.not_equal(keep.column("split"), "excluded"))
    columns = ["image_id", "sha256", "modality", "expert_concepts", "pack", "pack_row", *RECORD]
    images = lake.read("images", source=source, columns=columns)
    images = images.filter(pc.is_in(images.column("image_id"), value_set=keep.filter(kept).column("image_id").combine_chunks()))
    for table, more in (("diagnoses", ["node"]), ("evidence", ["findings", "traces"]), ("image_quality", ["excluded"])):
        images = beside(images, lake.read(table, source=source, columns=["image_id", *more]))
    has_schema = pc.fill_null(pc.not_equal(images.column("modality"), "pathology"), True)
    allowed = pc.invert(pc.fill_null(images.column("excluded"), False))
    images = images.filter(pc.and_(pc.and_(images.column("node").is_valid(), has_schema), allowed))
    images = images.sort_by([("pack", "ascending"), ("pack_row", "ascending")])
    return Subjects(lake, images.drop_columns(["pack", "pack_row"]))
