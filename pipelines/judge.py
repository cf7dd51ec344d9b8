"""Trajectories: the ledger's answers of one source put together, every check's verdict beside them, rejects with all reasons.

Reads the ledger only by key, so it costs no question. Memory: one trajectory an image of the source.
"""

import json
from collections import Counter
from typing import Any

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.tables import TABLES
from pipelines.teach.requests import Teacher
from pipelines.teach.stages import CONDITIONING, Judged, Subject, judge_stage, passed, prompt_versions, subjects
from prompts.ontology import load
from quality.checks import Verdict


def judge(lake: Lake, source: str, teacher: Teacher) -> Counter[str]:
    """Rebuild `trajectories` and `rejects` of one source; returns how many were accepted, and rejected by first reason."""
    blind = dict.fromkeys(subjects(lake, source))
    observed = judge_stage(lake, "observe", blind, teacher)
    reasoned = judge_stage(lake, "reason", passed(observed), teacher)
    rows = [_trajectory(source, teacher, s, observed[s], reasoned.get(s)) for s in blind]
    rejects = [row for s in blind for row in _rejects(source, teacher, s, [observed[s], reasoned.get(s)])]
    lake.replace("trajectories", pa.Table.from_pylist(rows, schema=TABLES["trajectories"].schema), source=source)
    lake.replace("rejects", pa.Table.from_pylist(rejects, schema=TABLES["rejects"].schema), source=source)
    return Counter(row["status"] for row in rows)


def _trajectory(source: str, teacher: Teacher, s: Subject, observed: Judged, reasoned: Judged | None) -> dict[str, Any]:
    verdicts = [*_named("observe", observed.verdicts), *_named("reason", reasoned.verdicts if reasoned else ())]
    failed = [v for v in verdicts if not v["passed"]]
    answer = reasoned.parsed if reasoned else None
    return {
        "image_id": s.image_id,
        "source": source,
        "teacher": teacher.name,
        "revision": teacher.revision,
        "conditioning": CONDITIONING,
        "prompts": json.dumps(prompt_versions([s.kind]), sort_keys=True),
        "kind": s.kind,
        "node": s.node,
        "observation": _text(observed.parsed),
        "reasoning": _text(answer),
        "final_node": load().resolve(answer["final_diagnosis"]) if answer else None,
        "verdicts": json.dumps(verdicts, sort_keys=True),
        "status": f"rejected: {failed[0]['check']}" if failed else "accepted",
        "observe_key": observed.key,
        "reason_key": reasoned.key if reasoned else None,
    }


def _named(stage: str, verdicts: tuple[Verdict, ...]) -> list[dict[str, Any]]:
    return [{"stage": stage, "check": v.check, "passed": v.passed, "detail": v.detail} for v in verdicts]


def _rejects(source: str, teacher: Teacher, s: Subject, stages: list[Judged | None]) -> list[dict[str, Any]]:
    reasons: dict[tuple[str, str], dict[str, Any]] = {}
    for judged in stages:
        for verdict in judged.verdicts if judged else ():
            if not verdict.passed and judged:
                row = reasons.setdefault((judged.request.stage, verdict.check), {"detail": [], "answer": judged.answer})
                row["detail"].append(verdict.detail)
    return [
        {
            "image_id": s.image_id,
            "source": source,
            "teacher": teacher.name,
            "stage": stage,
            "check": check,
            "detail": "; ".join(row["detail"]),
            "answer": row["answer"],
        }
        for (stage, check), row in reasons.items()
    ]


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
