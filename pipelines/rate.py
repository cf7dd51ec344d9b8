"""Judging: accepted trajectories scored by another model through the ledger, and what that model's scores are worth.

Optional. A text is asked about `samples` times, and for a tenth of them once more with the axes in reverse order. Memory: the accepted
trajectories of one source.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.tables import TABLES
from pipelines.teach.config import TeacherConfig
from pipelines.teach.ledger import Ledger
from pipelines.teach.requests import Engine, EngineUnavailable, Request, Teacher
from pipelines.teach.teach import ask_missing
from prompts.judging import AXES, judge_prompt, judging_schema
from prompts.schemas import TEXT_KEY
from quality import judgement
from quality.judgement import ORDERS, Judgement

REVERSED_SHARE = 0.1
"""Of the texts, asked about in both orders of the axes."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One question about one trajectory."""

    trajectory: Row
    order: str
    request: Request

    @property
    def judged(self) -> str:
        """The text that is judged."""
        return "\n".join(_texts(self.trajectory))


def rate(lake: Lake, source: str, engine: Engine, config: TeacherConfig) -> int:
    """Bring `judgements` of one source up to date; returns how many texts were judged. Raises EngineUnavailable."""
    rows = [
        row
        for row in lake.read("trajectories", source=source).to_pylist()
        if row["status"] == "accepted" and not row["control"]
    ]
    if engine.teacher.name in {row["teacher"] for row in rows}:
        raise EngineUnavailable(
            f"{engine.teacher.name} would judge its own answers: name another model in DERMOFORGE_JUDGE_FILE"
        )
    asked = [question for row in rows for question in _questions(row, config.samples)]
    read = _answers(lake, asked, engine, config, f"judge {source}")
    table = _rows(asked, read, engine.teacher)
    lake.replace("judgements", pa.Table.from_pylist(table, schema=TABLES["judgements"].schema), source=source)
    return len(rows)


def _questions(row: Row, samples: int) -> Iterator[Question]:
    for order in ORDERS if _in_both_orders(row) else ["forward"]:
        for sample in range(samples if order == "forward" else 1):
            request = Request(
                stage="judge",
                image_id=row["image_id"],
                image_sha256=row["image_sha256"],
                kind=row["kind"],
                prompt=judge_prompt(*_texts(row), ORDERS[order]),
                facts={},
                schema=judging_schema(ORDERS[order]),
                conditioning=row["conditioning"],
                sample=sample,
            )
            yield Question(row, order, request)


def _texts(row: Row) -> tuple[str, str]:
    return json.loads(row["observation"])[TEXT_KEY], json.loads(row["reasoning"])["reasoning"]


def _in_both_orders(row: Row) -> bool:
    drawn = hashlib.sha256(f"order {row['image_id']} {row['teacher']} {row['sample']}".encode()).hexdigest()
    return int(drawn[:8], 16) < REVERSED_SHARE * 2**32


def _answers(lake: Lake, asked: list[Question], engine: Engine, config: TeacherConfig, what: str) -> dict[Question, Judgement]:
    """The judgement of every question: what cannot be read is asked again with the next seed, as often as `attempts` allows."""
    read: dict[Question, Judgement] = {}
    for attempt in range(config.attempts):
        open_ = {one: replace(one.request, attempt=attempt) for one in asked if one not in read or read[one].fault}
        if not open_:
            break
        ask_missing(lake, open_.values(), engine, what)
        keys = {one: request.key(engine.teacher) for one, request in open_.items()}
        rows = Ledger(lake, engine.teacher).find((keys[one], request) for one, request in open_.items())
        read |= {one: _read(rows.get(key), one.judged) for one, key in keys.items()}
    return read


def _read(row: Mapping[str, Any] | None, judged: str) -> Judgement:
    if row is None:
        return Judgement({}, {}, "unanswered")
    return Judgement({}, {}, row["failure"]) if row["failure"] else judgement.read(row["answer"], judged)


def _rows(asked: list[Question], read: dict[Question, Judgement], judge: Teacher) -> list[Row]:
    forward: dict[str, list[Mapping[str, int]]] = {}
    for one in asked:
        if one.order == "forward" and read[one].scores:
            forward.setdefault(_name(one.trajectory), []).append(read[one].scores)
    rows = []
    for one in asked:
        low = judgement.too_low(forward.get(_name(one.trajectory), []))
        key = {name: one.trajectory[name] for name in ("image_id", "source", "teacher", "conditioning", "sample")}
        rows.append(
            {
                **key,
                "judge": judge.name,
                "judge_revision": judge.revision,
                "axes_order": one.order,
                "judge_sample": one.request.sample,
                **{axis: read[one].scores.get(axis) for axis in AXES},
                "quotes": json.dumps(read[one].quotes, sort_keys=True, ensure_ascii=False),
                "fault": read[one].fault or None,
                "too_low": low,
                "words": len(one.judged.split()),
            }
        )
    return rows


def _name(row: Row) -> str:
    return json.dumps([row[name] for name in TABLES["trajectories"].key])


def refused(lake: Lake, source: str) -> set[tuple[Any, ...]]:
    """Keys of the trajectories that some judge scored too low on an axis."""
    key = TABLES["trajectories"].key
    rows = lake.read("judgements", source=source, columns=[*key, "too_low"]).to_pylist()
    return {tuple(row[name] for name in key) for row in rows if row["too_low"]}


@dataclass(frozen=True, slots=True)
class Worth:
    """What a judge's scores are worth: see `quality.judgement` for each figure. `means` are the mean scores by axis."""

    judged: int
    faults: Mapping[str, int]
    means: Mapping[str, float]
    self_agreement: float
    length_bias: float
    order_bias: Mapping[str, float]


def worth(rows: list[Row]) -> Worth:
    """Measure a judge on rows of `judgements`."""
    good = [row for row in rows if row["fault"] is None]
    faults: dict[str, int] = {}
    for row in rows:
        if row["fault"]:
            code = row["fault"].split(":")[0]
            faults[code] = faults.get(code, 0) + 1
    by_text: dict[str, list[Row]] = {}
    for row in good:
        by_text.setdefault(_name(row), []).append(row)
    forward = [[row for row in group if row["axes_order"] == "forward"] for group in by_text.values()]
    both = [
        (group[0], other)
        for group in by_text.values()
        for other in group
        if other["axes_order"] == "reversed" and group[0] != other
    ]
    return Worth(
        judged=len(by_text),
        faults=faults,
        means={axis: sum(row[axis] for row in good) / len(good) for axis in AXES} if good else {},
        self_agreement=judgement.self_agreement([[row[axis] for row in group] for group in forward for axis in AXES]),
        length_bias=judgement.length_bias([sum(row[axis] for axis in AXES) for row in good], [row["words"] for row in good]),
        order_bias=judgement.order_bias(both),
    )
