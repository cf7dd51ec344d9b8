"""Trajectories: the ledger's answers of one source put together, every check's verdict beside them, rejects with all reasons.

What people said about an answer stands above the checks (`pipelines.reviews`). Reads the ledger only by key, so it costs no question.
Memory: a block of images, and the finished rows of the source.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.reviews import overrule
from pipelines.tables import TABLES
from pipelines.teach.config import TeacherConfig
from pipelines.teach.flow import BLOCK, follow, walks
from pipelines.teach.ledger import Ledger
from pipelines.teach.requests import Teacher
from pipelines.teach.stages import Judged, Walk
from pipelines.teach.subjects import TABLES as SUBJECTS
from pipelines.teach.subjects import subjects
from pipelines.unchanged import made_of, note, recall
from prompts.ontology import load
from prompts.schemas import TEXT_KEY, findings
from prompts.stages import Conditioning
from prompts.versions import prompt_versions
from quality.checks import Verdict
from quality.near_texts import near_pairs
from quality.thresholds import DRIFT, DRIFT_ROWS

JUDGED = ("trajectories", "rejects", "trajectory_verdicts")


def judge(lake: Lake, source: str, teacher: Teacher, config: TeacherConfig) -> Counter[str]:
    """Rebuild `trajectories` and `rejects` of one source; returns how many were accepted, and rejected by first reason.

    Where every question had an answer and nothing that a verdict hangs on has changed since, the tables stay as they are.
    """
    what = f"trajectories/{source}"
    made = made_of(lake, [*SUBJECTS, "reviews"], source, asdict(teacher), config.model_dump())
    was = recall(lake, what, made)
    if was and was["files"] == _files(lake, source):
        return Counter(was["status"])
    status, left = _judge_all(lake, source, teacher, config)
    if not left:
        note(lake, what, made, {"status": status, "files": _files(lake, source)})
    return status


def _files(lake: Lake, source: str) -> dict[str, list[str]]:
    return {table: lake.files(table, source) for table in JUDGED}


def _judge_all(lake: Lake, source: str, teacher: Teacher, config: TeacherConfig) -> tuple[Counter[str], int]:
    """As `judge`; how many questions have no answer beside it."""
    rows: list[dict[str, Any]] = []
    rejects: list[dict[str, Any]] = []
    left = 0
    for walk in _answered(lake, source, teacher, config):
        left += len(walk.open)
        for conditioning in walk.conditionings:
            stages = _stages(walk, conditioning)
            rows.append(
                _trajectory(source, teacher, walk, conditioning, stages) | {"control": conditioning != config.conditioning}
            )
            rejects += _rejects(source, teacher, walk, conditioning, stages)
    rejects += _copied(rows)
    rows, rejects = overrule(lake, rows, rejects)
    lake.replace("trajectories", pa.Table.from_pylist(rows, schema=TABLES["trajectories"].schema), source=source)
    lake.replace("rejects", pa.Table.from_pylist(rejects, schema=TABLES["rejects"].schema), source=source)
    counts = pa.Table.from_pylist(_counted(rows), schema=TABLES["trajectory_verdicts"].schema)
    lake.replace("trajectory_verdicts", counts, source=source)
    return Counter(row["status"] for row in rows), left


def _answered(lake: Lake, source: str, teacher: Teacher, config: TeacherConfig) -> Iterator[Walk]:
    """Every walk as far as the ledger goes."""
    ledger = Ledger(lake, teacher)
    steps = walks(subjects(lake, source), config)
    while block := list(islice(steps, BLOCK)):
        follow([(walk, request) for walk in block for request in walk.open], teacher, ledger.find)
        yield from block


def _stages(walk: Walk, conditioning: Conditioning) -> dict[str, Judged]:
    """What was judged of a trajectory, by stage; a question without an answer fails as `unanswered`."""
    stages = {"observe": walk.observed, "reason": walk.reasoned.get(conditioning)}
    judged = {name: one for name, one in stages.items() if one is not None}
    for request in walk.open:
        if request.stage not in judged and (request.stage == "observe" or request.conditioning == conditioning):
            missing = Verdict("unanswered", False, "the teacher was not asked")
            judged[request.stage] = Judged(request, None, None, (missing,))
    return judged


def _trajectory(
    source: str, teacher: Teacher, walk: Walk, conditioning: Conditioning, stages: dict[str, Judged]
) -> dict[str, Any]:
    verdicts = [
        {"stage": stage, "check": v.check, "passed": v.passed, "detail": v.detail}
        for stage, judged in stages.items()
        for v in judged.verdicts
    ]
    failed = [v for v in verdicts if not v["passed"]]
    observed, reasoned = stages["observe"], stages.get("reason")
    answer = reasoned.parsed if reasoned else None
    return {
        "image_id": walk.subject.image_id,
        "image_sha256": walk.subject.sha256,
        "source": source,
        "teacher": teacher.name,
        "revision": teacher.revision,
        "conditioning": conditioning,
        "sample": walk.sample,
        "prompts": json.dumps(prompt_versions([walk.subject.kind], conditioning), sort_keys=True),
        "kind": walk.subject.kind,
        "node": walk.subject.node,
        "observation": _text(observed.parsed),
        "reasoning": _text(answer),
        "final_node": load().resolve(answer["final_diagnosis"]) if answer else None,
        "normalised_from": reasoned.normalised_from if reasoned else None,
        "verdicts": json.dumps(verdicts, sort_keys=True),
        "history": json.dumps([_earlier(judged) for judged in walk.earlier if _of(judged, conditioning)], sort_keys=True),
        "status": f"rejected: {failed[0]['check']}" if failed else "accepted",
        "observe_key": observed.key or None,
        "reason_key": (reasoned.key or None) if reasoned else None,
    }


def _counted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `trajectory_verdicts`: an observation counts once, however many reasonings follow from it."""
    made: Counter[tuple[str, ...]] = Counter()
    failed: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        for verdict in json.loads(row["verdicts"]):
            if verdict["stage"] == "observe" and row["control"]:
                continue
            key = (row["source"], row["teacher"], row["conditioning"], verdict["stage"], verdict["check"])
            made[key] += 1
            failed[key] += not verdict["passed"]
    names = TABLES["trajectory_verdicts"].key
    return [dict(zip(names, key, strict=True)) | {"made": made[key], "failed": failed[key]} for key in sorted(made)]


def drifts(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    """Checks whose share of failures moved from one run to the next by more than chance and `DRIFT` allow, as sentences."""
    old = {tuple(row[name] for name in TABLES["trajectory_verdicts"].key): row for row in before}
    found = []
    for row in after:
        was = old.get(tuple(row[name] for name in TABLES["trajectory_verdicts"].key))
        if was is None or min(was["made"], row["made"]) < DRIFT_ROWS:
            continue
        then, now = was["failed"] / was["made"], row["failed"] / row["made"]
        if abs(now - then) > DRIFT:
            found.append(f"{row['source']}, {row['teacher']}, {row['stage']} {row['check']}: {then:.1%} before, {now:.1%} now")
    return found


def _copied(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fail the trajectories that share a description although their findings differ; returns their rejects."""
    seen = [row for row in rows if row["observation"]]
    parsed = [json.loads(row["observation"]) for row in seen]
    same = {place: {place} for place in range(len(seen))}
    for a, b in near_pairs([value[TEXT_KEY] for value in parsed]):
        both = same[a] | same[b]
        same |= dict.fromkeys(both, both)
    rejects = []
    for place, alike in same.items():
        others = [other for other in alike if seen[other]["image_id"] != seen[place]["image_id"]]
        if others and len({findings(parsed[one]) for one in alike}) > 1:
            rejects.append(_fail(seen[place], "observe", "copied_text", f"as of {seen[min(others)]['image_id']}"))
    return rejects


def _fail(row: dict[str, Any], stage: str, check: str, detail: str) -> dict[str, Any]:
    """Add a failed verdict to a trajectory, in place; returns its row for `rejects`."""
    verdicts = [*json.loads(row["verdicts"]), {"stage": stage, "check": check, "passed": False, "detail": detail}]
    row["verdicts"] = json.dumps(verdicts, sort_keys=True)
    if row["status"] == "accepted":
        row["status"] = f"rejected: {check}"
    key = {name: row[name] for name in ("image_id", "source", "teacher", "conditioning", "sample")}
    return {**key, "stage": stage, "check": check, "detail": detail, "answer": row["observation"]}


def _of(judged: Judged, conditioning: Conditioning) -> bool:
    return judged.request.stage == "observe" or judged.request.conditioning == conditioning


def _earlier(judged: Judged) -> dict[str, Any]:
    """An attempt that was sent back, with why."""
    faults = [{"check": v.check, "detail": v.detail} for v in judged.verdicts if not v.passed]
    return {"stage": judged.request.stage, "attempt": judged.request.attempt, "request_key": judged.key, "faults": faults}


def _rejects(
    source: str, teacher: Teacher, walk: Walk, conditioning: Conditioning, stages: dict[str, Judged]
) -> list[dict[str, Any]]:
    reasons: dict[tuple[str, str], list[str]] = {}
    for stage, judged in stages.items():
        for verdict in judged.verdicts:
            if not verdict.passed:
                reasons.setdefault((stage, verdict.check), []).append(verdict.detail)
    return [
        {
            "image_id": walk.subject.image_id,
            "source": source,
            "teacher": teacher.name,
            "conditioning": conditioning,
            "sample": walk.sample,
            "stage": stage,
            "check": check,
            "detail": "; ".join(details),
            "answer": stages[stage].answer,
        }
        for (stage, check), details in reasons.items()
    ]


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
