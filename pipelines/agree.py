"""Agreement: each teacher of a source against the experts who annotated the same images, one source at a time.

Every answer that can be read counts, accepted or not: checks would hide what the teacher cannot see. Observations are blind by
construction; of diagnoses only those count that were reached without being told any. Memory: the trajectories of one source.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from pipelines.annotations import annotated
from pipelines.lake import Lake
from pipelines.tables import TABLES
from prompts.ontology import load
from quality import agreement
from quality.agreement import Score

CIRCULAR = frozenset({"composer"})
"""Teachers that write their observations from the annotations: their agreement with them proves nothing."""

COLUMNS = [
    "image_id",
    "teacher",
    "revision",
    "conditioning",
    "sample",
    "kind",
    "node",
    "observation",
    "reasoning",
    "final_node",
]


def agree(lake: Lake, source: str) -> bool:
    """Rebuild `agreement` of one source; False when nothing changed."""
    images = annotated(lake, lake.read("images", source=source, columns=["image_id", "expert_concepts"]).to_pylist())
    concepts = {row["image_id"]: json.loads(row["expert_concepts"] or "{}") for row in images}
    by_teacher: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in lake.read("trajectories", source=source, columns=COLUMNS).to_pylist():
        by_teacher[row["teacher"], row["revision"]].append(row)
    rows = [
        {"source": source, "teacher": teacher, "revision": revision, "circular": teacher in CIRCULAR, **_row(score)}
        for (teacher, revision), answers in by_teacher.items()
        for score in scores(answers, concepts)
    ]
    return lake.replace("agreement", pa.Table.from_pylist(rows, schema=TABLES["agreement"].schema), source=source)


def scores(answers: Iterable[Mapping[str, Any]], concepts: Mapping[str, Mapping[str, Any]]) -> list[Score]:
    """Scores of one teacher's trajectories; `concepts` are the experts' by image id."""
    seen = {(row["image_id"], row["sample"]): row for row in answers if row["observation"]}
    pairs = agreement.paired(
        (
            agreement.expert_statements(row["kind"], concepts[row["image_id"]]),
            agreement.teacher_values(row["kind"], json.loads(row["observation"])),
        )
        for row in seen.values()
    )
    blind = [row for row in answers if row["conditioning"] == "blind" and row["reasoning"] and row["node"]]
    diagnoses = [(row["node"], row["final_node"]) for row in blind]
    return agreement.observation_scores(pairs) + agreement.diagnosis_scores(diagnoses, load())


def _row(score: Score) -> dict[str, Any]:
    names = ("field", "measure", "answers", "assessed", "score", "absent", "majority", "prior")
    return {name: getattr(score, name) for name in names}


def summary(row: Mapping[str, Any]) -> bool:
    """Whether a row of `agreement` stands for all fields, or for the diagnoses: what a teacher is judged by."""
    return row["field"] in (agreement.ALL, "diagnosis")


def no_better(row: Mapping[str, Any]) -> bool:
    """Whether a teacher's score is at most that of a baseline."""
    return row["score"] <= max(row["absent"] or 0.0, row["majority"], row["prior"])
