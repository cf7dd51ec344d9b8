"""What annotation-only sets add to images of other sets: joined by image id when a stage reads, never copied into `images`.

So the order in which sets are ingested does not matter, and the licence of an annotation travels with what was made of it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.lake import Lake
from sources.licences import strictest


def annotated(lake: Lake, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `images` (any columns, with image_id) with concepts and captions of annotations added, in the order of their sets.

    `licence_id` becomes the strictest of all that contribute, `attribution` names them all. Memory: all annotations of the lake.
    """
    said = defaultdict(list)
    for row in lake.read("annotations").to_pylist():
        if not row["doubtful"]:
            said[row["image_id"]].append(row)
    return [_merged(row, said[row["image_id"]]) if row["image_id"] in said else dict(row) for row in rows]


def _merged(row: Mapping[str, Any], annotations: list[dict[str, Any]]) -> dict[str, Any]:
    merged = dict(row)
    if "expert_concepts" in row:
        concepts = json.loads(row["expert_concepts"] or "{}")
        for annotation in annotations:
            # What the image's own set says stays: a later annotation adds keys, it changes none.
            concepts = json.loads(annotation["expert_concepts"] or "{}") | concepts
        merged["expert_concepts"] = json.dumps(concepts, sort_keys=True, ensure_ascii=False)
    if "expert_caption" in row:
        merged["expert_caption"] = next((c for c in (row, *annotations) if c["expert_caption"]), {}).get("expert_caption")
    if "licence_id" in row:
        merged["licence_id"] = strictest([row["licence_id"], *(a["licence_id"] for a in annotations)])
    if "attribution" in row:
        merged["attribution"] = "; ".join(dict.fromkeys([row["attribution"], *(a["attribution"] for a in annotations)]))
    return merged


def joined(lake: Lake, source: str) -> tuple[int, int]:
    """How many images of the lake an annotation-only set speaks about, and how many that are not there."""
    about = set(lake.read("annotations", source=source, columns=["image_id"]).column("image_id").to_pylist())
    here = about & set(lake.read("images", columns=["image_id"]).column("image_id").to_pylist()) if about else set()
    return len(here), len(about) - len(here)
