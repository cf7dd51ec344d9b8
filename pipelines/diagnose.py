"""Raw labels to ontology nodes, one source at a time; what does not map stays in the table as `unmapped`."""

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.tables import TABLES
from prompts.ontology import load


def diagnose(lake: Lake, source: str) -> bool:
    """Rebuild `diagnoses` of one source; False when nothing changed."""
    ontology = load()
    images = lake.read("images", source=source, columns=["image_id", "diagnosis_raw"]).to_pydict()
    rows = []
    for image_id, raw in zip(images["image_id"], images["diagnosis_raw"], strict=True):
        node, how = ontology.map_label(source, raw) if raw else (None, "no label")
        rows.append(
            {
                "image_id": image_id,
                "source": source,
                "diagnosis_raw": raw,
                "node": node,
                "path": list(ontology.path(node)) if node else [],
                "granularity": ontology.granularity(node) if node else None,
                "malignancy": ontology.nodes[node].malignancy if node else None,
                "how": how,
            }
        )
    return lake.replace("diagnoses", pa.Table.from_pylist(rows, schema=TABLES["diagnoses"].schema), source=source)
