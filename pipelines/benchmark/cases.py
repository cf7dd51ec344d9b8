"""The held-out images of a lake as cases of the benchmark, and what training images have. Memory: the texts of the test split.

A case is an image of the test split with an accepted trajectory; the one that most people accepted, otherwise the first. Copies of a
picture and pictures whose labels contradict have none (`pipelines.teach.subjects`).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pyarrow as pa

from pipelines.annotations import annotated
from pipelines.lake import Lake
from pipelines.rate import refused
from pipelines.tables import TABLES
from pipelines.teach.subjects import TAUGHT
from prompts.benchmark.items import Case, claim
from prompts.ontology import load
from prompts.schemas import NOT_ASSESSABLE, TEXT_KEY, kind_of
from quality import agreement
from quality.benchmark.baselines import Prior
from quality.benchmark.claims import read_words

Row = dict[str, Any]
SHOWN = ("image_id", "sha256", "modality", "skin_tones", "expert_concepts", "licence_id", "attribution")
TOLD = ("image_id", "source", "teacher", "conditioning", "sample", "status", "control", "verified_by")


def held_out(lake: Lake) -> list[Case]:
    """The cases of the test split, sorted by image id."""
    found = [case for source in _sources(lake) for case in _told(lake, source)]
    return sorted(found, key=lambda case: case.image_id)


def training(lake: Lake) -> Iterator[Case]:
    """The training images with what their sources say of them; no texts."""
    for source in _sources(lake):
        nodes = _nodes(lake, source)
        for image in _images(lake, source, "train"):
            if image["image_id"] in nodes:
                yield _case(image, nodes[image["image_id"]], source, None)


def prior(cases: Iterator[Case]) -> Prior:
    """What the baselines know: how often training images have each class, label and value."""
    ontology = load()
    classes, labels, values = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[str]](Counter), {}
    for case in cases:
        names = [ontology.nodes[node].name for node in ontology.path(case.node)]
        classes[case.kind].update(names)
        labels[case.kind][names[-1]] += 1
        for field, value in case.morphology.items():
            values.setdefault(field, Counter())[value] += 1
    return Prior(dict(classes), dict(labels), values)


def _sources(lake: Lake) -> list[str]:
    return sorted(lake.read("sources", columns=["source"]).column("source").to_pylist())


def _images(lake: Lake, source: str, split: str) -> list[Row]:
    """Images of one split that stand for themselves, with their group."""
    columns = ["image_id", "group_id", "status", "split"]
    groups = lake.read("groups", columns=columns, among=("source", pa.array([source]))).to_pylist()
    group_of = {row["image_id"]: row["group_id"] for row in groups if row["split"] == split and row["status"] in TAUGHT}
    images = lake.read("images", source=source, columns=SHOWN, among=("image_id", pa.array(sorted(group_of), pa.string())))
    kept = (row for row in images.to_pylist() if row["modality"] != "pathology")
    return [row | {"group_id": group_of[row["image_id"]]} for row in annotated(lake, kept)]


def _nodes(lake: Lake, source: str) -> dict[str, str]:
    rows = lake.read("diagnoses", source=source, columns=["image_id", "node"]).to_pylist()
    return {row["image_id"]: row["node"] for row in rows if row["node"]}


def _told(lake: Lake, source: str) -> Iterator[Case]:
    images = {image["image_id"]: image for image in _images(lake, source, "test")}
    low, key = refused(lake, source), TABLES["trajectories"].key
    wanted = ("image_id", pa.array(sorted(images), pa.string()))
    rows = lake.read(
        "trajectories", source=source, columns=[*TOLD, "node", "observation", "reasoning"], among=wanted
    ).to_pylist()
    chosen: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: (-row["verified_by"], *(row[name] for name in key))):
        let = row["status"] == "accepted" and not row["control"]
        if let and (row["verified_by"] or tuple(row[name] for name in key) not in low):
            chosen.setdefault(row["image_id"], row)
    for image_id, row in chosen.items():
        yield _case(images[image_id], row["node"], source, row)


def _case(image: Row, node: str, source: str, told: Row | None) -> Case:
    """A case from an image and its trajectory; without one it has no texts."""
    kind = kind_of(image["modality"])
    observation = json.loads(told["observation"]) if told else {}
    values, basis = _morphology(kind, json.loads(image["expert_concepts"] or "{}"), observation, told)
    return Case(
        image_id=image["image_id"],
        sha256=image["sha256"],
        kind=kind,
        node=node,
        source=source,
        group=image["group_id"],
        morphology=values,
        basis=basis,
        description=observation.get(TEXT_KEY, ""),
        cited=_cited(json.loads(told["reasoning"]), values) if told else (),
        tones=_tones(image["skin_tones"] or []),
        licence_id=image["licence_id"],
        attribution=image["attribution"],
    )


def _morphology(
    kind: str, concepts: Mapping[str, Any], observation: Mapping[str, Any], told: Row | None
) -> tuple[dict[str, str], Literal["expert", "verified", "generated"]]:
    """What an expert said exactly; where none did, what the accepted observation says."""
    stated = agreement.expert_statements(kind, concepts)
    exact = {field: next(iter(values)) for field, values in stated.items() if len(values) == 1}
    if exact or told is None:
        return exact, "expert"
    seen = {field: value for field, value in agreement.teacher_values(kind, observation).items() if value != NOT_ASSESSABLE}
    return seen, "verified" if told["verified_by"] else "generated"


def _cited(thought: Mapping[str, Any], values: Mapping[str, str]) -> tuple[str, ...]:
    """Findings that the reasoning cites and its own prose says readably: no more can be asked of another text."""
    known = {claim(field, value) for field, value in values.items()}
    cited = [finding for finding in (*thought["supporting"], *thought["against"]) if finding in known]
    return tuple(one for one in cited if read_words([one], values, thought["reasoning"]).supported)


def _tones(stated: list[Mapping[str, str]]) -> dict[str, str]:
    """The value on each scale on which all judges of the image agree."""
    by_system: dict[str, set[str]] = {}
    for tone in stated:
        by_system.setdefault(tone["system"], set()).add(tone["value"])
    return {system: next(iter(values)) for system, values in sorted(by_system.items()) if len(values) == 1}
