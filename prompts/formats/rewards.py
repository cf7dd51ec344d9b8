"""Reinforcement learning: what the companion trainer's reward compares an answer with."""

from typing import Any

from prompts import schemas
from prompts.formats.record import Record
from prompts.ontology import Ontology

GRPO_TASKS = {"morph_description": "task1", "reasoning": "task3"}
"""Formats that the companion trainer's reward knows, by its task names."""

LAYOUTS = {"morph_description": ("morph",), "reasoning": ("reasoning", "morph", "final_diagnosis")}
"""The tags of an answer, in order: what the reward for format asks for."""


def ground_truth(record: Record, task: str, ontology: Ontology) -> dict[str, Any]:
    """Diagnosis, taxonomy and morphology of an image; seven-point keys in Title Case, the leaf left out of the path."""
    path = [ontology.nodes[node].name for node in ontology.path(record.node)]
    if record.kind == "dermoscopic":
        seven = record.observation[schemas.DERM7PT_KEY]
        morph: Any = {schemas.DERM7PT_KEY: {schemas.DERM7PT_TITLES[key]: value for key, value in seven.items()}}
    else:
        morph = {schemas.SKINCON_KEY: sorted(record.observation[schemas.SKINCON_KEY])}
    return {"task": task, "modality": record.kind, "final_label": path[-1], "taxon_path": path[:-1], "morph": morph}
