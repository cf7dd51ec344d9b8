"""The two stages for one source: observe blind, then reason to the diagnosis, each asked through the ledger and checked.

`plan` rebuilds the same requests from the same tables, so the judge finds the answers by key without any bookkeeping. Memory:
one request an image of the source.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.annotations import annotated
from pipelines.lake import Lake
from pipelines.teach.ledger import Ask, Asked, ask_missing, look_up
from pipelines.teach.requests import Request, StageName, Teacher
from prompts import schemas, stages
from prompts.ontology import load
from quality import checks

CONDITIONING = "confirmed"
"""The reason stage is told the source's diagnosis; the observe stage never is. Recorded on every trajectory."""

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


@dataclass(frozen=True, slots=True)
class Judged:
    """An attempt with its parsed answer (None if it failed) and every check's verdict."""

    request: Request
    key: str
    answer: str | None
    parsed: dict[str, Any] | None
    verdicts: tuple[checks.Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether the answer exists and every check passed."""
        return self.parsed is not None and all(v.passed for v in self.verdicts)


def subjects(lake: Lake, source: str) -> list[Subject]:
    """Images of a source that are taught: one of each copy set, split, labelled, and of a modality with a schema."""
    keep = lake.read("groups", columns=["image_id", "status", "split"]).to_pylist()
    taught = {row["image_id"] for row in keep if row["status"] in TAUGHT and row["split"] != "excluded"}
    nodes = lake.read("diagnoses", source=source, columns=["image_id", "node"]).to_pydict()
    node_of = dict(zip(nodes["image_id"], nodes["node"], strict=True))
    prints = lake.read("evidence", source=source, columns=["image_id", "findings"]).to_pydict()
    measured = dict(zip(prints["image_id"], prints["findings"], strict=True))
    columns = ["image_id", "sha256", "modality", "expert_concepts"]
    return [
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


def observe_request(subject: Subject, attempt: int = 0) -> Request:
    """The blind question: nothing of label, metadata or file name is in it."""
    return Request(
        stage="observe",
        image_id=subject.image_id,
        image_sha256=subject.sha256,
        kind=subject.kind,
        prompt=stages.observe_prompt(subject.kind),
        facts={"kind": subject.kind, "expert_concepts": subject.expert_concepts, "measured": list(subject.measured)},
        schema=schemas.observation_schema(subject.kind),
        attempt=attempt,
    )


def reason_request(subject: Subject, observation: Mapping[str, Any], attempt: int = 0) -> Request:
    """The second question: the accepted observation and the source's diagnosis."""
    label = load().nodes[subject.node].name
    text = json.dumps(observation, ensure_ascii=False, sort_keys=True)
    return Request(
        stage="reason",
        image_id=subject.image_id,
        image_sha256=subject.sha256,
        kind=subject.kind,
        prompt=stages.reason_prompt(subject.kind, text, CONDITIONING, [label]),
        facts={
            "kind": subject.kind,
            "observation": observation,
            "node": subject.node,
            "criteria": load().digest,
        },
        schema=schemas.reasoning_schema(),
        attempt=attempt,
    )


def teach(lake: Lake, source: str, teacher: Teacher, ask: Ask) -> Asked:
    """Ask both stages for every subject of a source, with new seeds for answers that fail, up to the teacher's attempts."""
    blind: Inputs = dict.fromkeys(subjects(lake, source))
    total = _ask_stage(lake, "observe", blind, teacher, ask, source)
    return total + _ask_stage(lake, "reason", passed(judge_stage(lake, "observe", blind, teacher)), teacher, ask, source)


def passed(judged: Mapping[Subject, Judged]) -> dict[Subject, dict[str, Any] | None]:
    """The parsed answers of the subjects whose answer passed every check."""
    return {subject: one.parsed for subject, one in judged.items() if one.passed}


Inputs = Mapping[Subject, dict[str, Any] | None]


def _request(stage: StageName, subject: Subject, observation: dict[str, Any] | None, attempt: int) -> Request:
    if stage == "observe":
        return observe_request(subject, attempt)
    assert observation is not None
    return reason_request(subject, observation, attempt)


def _ask_stage(lake: Lake, stage: StageName, inputs: Inputs, teacher: Teacher, ask: Ask, source: str) -> Asked:
    total, open_ = Asked(), dict(inputs)
    for attempt in range(teacher.attempts):
        requests = [_request(stage, s, observation, attempt) for s, observation in open_.items()]
        total += ask_missing(lake, requests, teacher, ask, f"{stage} {source}" + (f" retry {attempt}" if attempt else ""))
        if attempt + 1 < teacher.attempts:
            judged = judge_stage(lake, stage, open_, replace(teacher, attempts=attempt + 1))
            open_ = {s: o for s, o in open_.items() if not judged[s].passed}
    return total


def judge_stage(lake: Lake, stage: StageName, inputs: Inputs, teacher: Teacher) -> dict[Subject, Judged]:
    """The first passing attempt of every subject, or its last one. A question without an answer fails as `unanswered`."""
    requests = {s: [_request(stage, s, o, n) for n in range(teacher.attempts)] for s, o in inputs.items()}
    rows = look_up(lake, [r for attempts in requests.values() for r in attempts], teacher)
    judged = {}
    for subject, attempts in requests.items():
        tried = [_judge(r, rows.get(r.key(teacher)), subject, inputs[subject], teacher) for r in attempts]
        answered = [j for j in tried if j.key in rows] or tried[:1]
        judged[subject] = next((j for j in answered if j.passed), answered[-1])
    return judged


def _judge(
    request: Request,
    row: Mapping[str, Any] | None,
    subject: Subject,
    observation: dict[str, Any] | None,
    teacher: Teacher,
) -> Judged:
    key = request.key(teacher)
    if row is None or row["failure"] is not None:
        code = "unanswered" if row is None else row["failure"]
        detail = "the teacher was not asked" if row is None else row["finish_reason"] or ""
        return Judged(request, key, None, None, (checks.Verdict(code, False, detail),))
    if request.stage == "observe":
        parsed, verdicts = checks.check_observation(row["answer"], subject.kind, load())
    else:
        parsed, verdicts = checks.check_reasoning(row["answer"], observation or {}, subject.kind, subject.node, load())
    return Judged(request, key, row["answer"], parsed, verdicts)


def prompt_versions(kinds: Sequence[str]) -> dict[str, str]:
    """Digests of the prompts and schemas behind a trajectory, for the record and for Dagster's code versions."""
    observe = {kind: schemas.digest([stages.observe_prompt(kind), schemas.observation_schema(kind)])[:16] for kind in kinds}
    reason = schemas.digest([stages.reason_prompt("clinical", "", CONDITIONING, []), schemas.reasoning_schema()])[:16]
    return {
        **{f"observe {kind}": value for kind, value in observe.items()},
        "reason": reason,
        "ontology": load().digest[:16],
    }
