"""The ledger: every teacher answer, appended in batches, looked up by request key. It outlives runs and is never rewritten.

Exactly once: a key is asked only when the table lacks it, and a batch is one commit. At most the batches in flight at a kill are
asked again. Memory: the keys asked for, and one batch of answers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.progress import Progress
from pipelines.tables import TABLES
from pipelines.teach.requests import Answer, Request, Teacher
from prompts.schemas import digest

COMMIT_ROWS = 512
"""Most answers in one commit: a Delta commit costs about 12 ms, so that the ledger's share an answer is negligible."""

COMPACT_ABOVE = 32

Ask = Callable[[Sequence[Request]], Iterator[list[tuple[Request, Answer]]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """How many answers were there already (`cached`), asked now, and of those how many failed."""

    cached: int = 0
    asked: int = 0
    failed: int = 0

    def __add__(self, other: "Asked") -> "Asked":
        return Asked(self.cached + other.cached, self.asked + other.asked, self.failed + other.failed)


def look_up(lake: Lake, requests: Iterable[Request], teacher: Teacher) -> dict[str, dict[str, Any]]:
    """Ledger rows of the requests that have an answer, by key."""
    keys = pa.array(sorted({request.key(teacher) for request in requests}), pa.string())
    return {row["request_key"]: row for row in lake.read("completions", among=("request_key", keys)).to_pylist()}


def ask_missing(lake: Lake, requests: Sequence[Request], teacher: Teacher, ask: Ask, what: str) -> Asked:
    """Ask what the ledger lacks and commit answers as they come; the same question asked of two images is asked once."""
    by_key = {request.key(teacher): request for request in requests}
    known = look_up(lake, by_key.values(), teacher)
    missing = [by_key[key] for key in sorted(set(by_key) - set(known))]
    failed, pending, commits, progress = 0, [], 0, Progress(f"teacher {what}", len(missing))
    for batch in ask(missing) if missing else ():
        pending += [row_of(request, teacher, answer) for request, answer in batch]
        failed += sum(answer.failure is not None for _, answer in batch)
        progress.add(len(batch))
        if len(pending) >= COMMIT_ROWS:
            commits, pending = commits + _commit(lake, pending), []
    commits += _commit(lake, pending)
    if commits > COMPACT_ABOVE:
        lake.compact("completions")
    return Asked(cached=len(known), asked=len(missing), failed=failed)


def _commit(lake: Lake, rows: list[dict[str, Any]]) -> int:
    lake.append("completions", pa.Table.from_pylist(rows, schema=TABLES["completions"].schema))
    return bool(rows)


def row_of(request: Request, teacher: Teacher, answer: Answer) -> dict[str, Any]:
    """The ledger row of an answer."""
    return {
        "request_key": request.key(teacher),
        "stage": request.stage,
        "image_id": request.image_id,
        "image_sha256": request.image_sha256,
        "teacher": teacher.name,
        "revision": teacher.revision,
        "prompt_digest": digest(request.read_by(teacher)),
        "schema_digest": digest(request.schema),
        "sampling": digest(dict(teacher.sampling)),
        "seed": request.seed(teacher),
        "answer": answer.text,
        "failure": answer.failure,
        "finish_reason": answer.finish_reason,
        "prompt_tokens": answer.prompt_tokens,
        "image_tokens": answer.image_tokens,
        "answer_tokens": answer.answer_tokens,
    }
