"""Samples: the first accepted trajectory of every image rendered into the formats, one source at a time. Memory: the rows of one source."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from pipelines.annotations import annotated
from pipelines.lake import Lake
from pipelines.rate import refused
from pipelines.tables import TABLES
from prompts.formats import FORMATS, GRPO_TASKS, Record, ground_truth
from prompts.ontology import load

CARRIED = ("teacher", "revision", "conditioning", "verified_by", "licence_id", "attribution")
"""Columns of a trajectory that its samples keep."""


def render(lake: Lake, source: str) -> bool:
    """Rebuild `samples` of one source; False when nothing changed."""
    rows = [row for trajectory in _accepted(lake, source) for row in sample_rows(trajectory)]
    return lake.replace("samples", pa.Table.from_pylist(rows, schema=TABLES["samples"].schema), source=source)


def _accepted(lake: Lake, source: str) -> Iterator[dict[str, Any]]:
    columns = ["image_id", "sha256", "licence_id", "attribution"]
    images = {row["image_id"]: row for row in annotated(lake, lake.read("images", source=source, columns=columns).to_pylist())}
    splits = lake.read("groups", columns=["image_id", "split"]).to_pydict()
    split_of = dict(zip(splits["image_id"], splits["split"], strict=True))
    done: set[tuple[str, str]] = set()
    low = refused(lake, source)
    rows = lake.read("trajectories", source=source).to_pylist()
    for row in sorted(rows, key=lambda row: -row["verified_by"]):
        # The sample that most people accepted, otherwise the first that passed; the answer-blind control is never trained on.
        image = (row["image_id"], row["teacher"])
        if not row["verified_by"] and tuple(row[name] for name in TABLES["trajectories"].key) in low:
            continue
        if row["status"] == "accepted" and not row["control"] and image not in done:
            done.add(image)
            yield {**row, **images[row["image_id"]], "split": split_of[row["image_id"]]}


def sample_rows(trajectory: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One row a format that the trajectory can be rendered into."""
    ontology = load()
    record = Record(
        image_id=trajectory["image_id"],
        sha256=trajectory["sha256"],
        kind=trajectory["kind"],
        observation=json.loads(trajectory["observation"]),
        reasoning=json.loads(trajectory["reasoning"]),
        node=trajectory["node"],
    )
    for name, render_format in FORMATS.items():
        turns = render_format(record, ontology)
        if turns:
            truth = ground_truth(record, GRPO_TASKS[name], ontology) if name in GRPO_TASKS else None
            yield {
                "sample_id": hashlib.sha256(f"{record.image_id}\0{name}\0{trajectory['teacher']}".encode()).hexdigest()[:24],
                "source": trajectory["source"],
                "image_id": record.image_id,
                "format": name,
                "split": trajectory["split"],
                "messages": json.dumps(turns, ensure_ascii=False),
                "ground_truth": None if truth is None else json.dumps(truth, ensure_ascii=False, sort_keys=True),
                "node": record.node,
                **{key: trajectory[key] for key in CARRIED},
            }
