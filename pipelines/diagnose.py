"""Raw labels to ontology nodes, one source at a time; what does not map stays in the table as `unmapped`.

Several weighted labels of one image are mapped one by one and stay several: no diagnosis is made of them.
"""

import json
from collections import Counter
from typing import Any

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.tables import TABLES
from prompts.ontology import Ontology, load


def diagnose(lake: Lake, source: str) -> bool:
    """Rebuild `diagnoses` of one source; False when nothing changed."""
    return lake.replace("diagnoses", mapped(lake, source), source=source)


def mapped(lake: Lake, source: str) -> pa.Table:
    """The rows that `diagnoses` of one source has to hold."""
    ontology = load()
    images = lake.read("images", source=source, columns=["image_id", "diagnosis_raw", "differential"]).to_pylist()
    return pa.Table.from_pylist([_row(source, image, ontology) for image in images], schema=TABLES["diagnoses"].schema)


def unmapped(diagnoses: pa.Table) -> tuple[float, dict[str, int]]:
    """Share of the labelled images that have a label which names nothing in the ontology, and those labels, most frequent first."""
    labelled, outside, names = 0, 0, Counter()
    for row in diagnoses.select(["diagnosis_raw", "how", "differential"]).to_pylist():
        labels = [(row["diagnosis_raw"], row["how"])] if row["diagnosis_raw"] else []
        labels += [(one["raw"], one["how"]) for one in row["differential"] or () if one["raw"] != row["diagnosis_raw"]]
        missing = [raw for raw, how in labels if how == "unmapped"]
        labelled, outside = labelled + bool(labels), outside + bool(missing)
        names.update(missing)
    return outside / max(labelled, 1), dict(sorted(names.items(), key=lambda item: (-item[1], item[0])))


def _row(source: str, image: dict[str, Any], ontology: Ontology) -> dict[str, Any]:
    raw = image["diagnosis_raw"]
    node, how = ontology.map_label(source, raw) if raw else (None, "no label")
    return {
        "image_id": image["image_id"],
        "source": source,
        "diagnosis_raw": raw,
        "node": node,
        "path": list(ontology.path(node)) if node else [],
        "granularity": ontology.granularity(node) if node else None,
        "malignancy": ontology.nodes[node].malignancy if node else None,
        "how": how,
        "differential": _differential(source, image["differential"], ontology),
    }


def _differential(source: str, text: str | None, ontology: Ontology) -> list[dict[str, Any]]:
    """Labels with weight and node, the heaviest first."""
    weights = sorted(json.loads(text or "{}").items(), key=lambda item: (-item[1], item[0]))
    return [{"raw": raw, "weight": weight, **ontology.map_label(source, raw)._asdict()} for raw, weight in weights]
