"""The images that are taught, each with only what the stages may use, in the order of their content."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipelines.annotations import annotated
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
    """Images of a source that are taught: one of each copy set, split, labelled, and of a modality with a schema.

    Sorted by sha256, the order in which the ledger keeps answers: it does not depend on names. Memory: about 1 KB an image.
    """
    keep = lake.read("groups", columns=["image_id", "status", "split"], among=("source", pa.array([source]))).to_pylist()
    taught = {row["image_id"] for row in keep if row["status"] in TAUGHT and row["split"] != "excluded"}
    nodes = lake.read("diagnoses", source=source, columns=["image_id", "node"]).to_pydict()
    node_of = dict(zip(nodes["image_id"], nodes["node"], strict=True))
    prints = lake.read("evidence", source=source, columns=["image_id", "findings"]).to_pydict()
    measured = dict(zip(prints["image_id"], prints["findings"], strict=True))
    columns = ["image_id", "sha256", "modality", "expert_concepts"]
    found = [
        Subject(
            image_id=row["image_id"],
            sha256=row["sha256"],
            kind=schemas.kind_of(row["modality"]),
            node=node_of[row["image_id"]],
            expert_concepts=json.loads(row["expert_concepts"] or "{}"),
            measured=tuple(measured.get(row["image_id"]) or ()),
        )
        for row in annotated(lake, lake.read("images", source=source, columns=columns).to_pylist())
        if row["image_id"] in taught and node_of.get(row["image_id"]) and row["modality"] != "pathology"
    ]
    return sorted(found, key=lambda subject: (subject.sha256, subject.image_id))
