"""Is this image adequate, and what is missing? Answered from the image gates and from what the observation could not assess.

The rule: an image is adequate when no gate of `FAULTS` fired and every criterion could be assessed; limited otherwise. Gates that only
note what else is in the picture (`PRESENT`) are told and change nothing.
"""

from prompts import questions, schemas
from prompts.formats.record import Record, Turn, once
from prompts.ontology import Ontology

FAULTS: dict[str, str] = {
    "blurred": "the picture is out of focus or was enlarged",
    "low_resolution": "it has few pixels",
    "small_lesion": "the lesion covers too few pixels to show fine structures",
    "compressed": "strong compression has removed detail",
    "blocky": "compression blocks are visible",
    "no_skin": "hardly any skin is visible",
    "histology": "it looks like a stained section rather than skin",
}
"""Gates of `quality.image_gates` that limit what can be judged, in words."""

PRESENT: dict[str, str] = {
    "dark_corners": "dark corners",
    "frame": "a frame",
    "hair": "hairs across the skin",
    "ruler": "a ruler",
    "ink": "ink marks",
    "text": "printed characters",
    "face": "a face",
}
"""Gates that note what else a picture shows."""

SILENT = ("modality", "off_topic", "clearly_off_topic")
"""Gates of which nothing is said: one speaks of the source's table, the others are wrong about some skin, and a person has cleared the rest."""


def adequacy(record: Record, ontology: Ontology) -> list[Turn]:
    """The verdict and its grounds; empty where no gate has seen the picture."""
    if record.gates is None:
        return []
    faults = [FAULTS[code] for code in record.gates if code in FAULTS]
    missing = unassessed(record)
    lines = [questions.LIMITED if faults or missing else questions.ADEQUATE]
    lines += [questions.FAULTS.format(listed="; ".join(faults))] if faults else []
    lines += [questions.MISSING.format(listed="; ".join(missing))] if missing else []
    present = [PRESENT[code] for code in record.gates if code in PRESENT]
    lines += [questions.PRESENT.format(listed="; ".join(present))] if present else []
    return once(questions.pick(questions.ADEQUACY, f"{record.sha256}/adequacy"), "\n".join(lines))


def unassessed(record: Record) -> list[str]:
    """Dermoscopic criteria that the image did not let the observer judge."""
    seven = record.observation.get(schemas.DERM7PT_KEY) or {}
    return [name.replace("_", " ") for name, value in seven.items() if value == schemas.NOT_ASSESSABLE]
