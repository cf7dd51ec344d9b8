"""The ledger: every teacher answer, appended in batches, looked up by request key. It outlives runs and is never rewritten.

Exactly once: a key is asked only when neither the table nor this run has it, and a batch is one commit. Until then its answers stand
in a journal, so that a kill loses those alone that were in flight. Questions are asked in the order of images, so that answers lie in that order too
and a look-up reads a few row groups; what lies elsewhere, as after a source was renamed, is sought everywhere. Memory: 16 bytes an answer of this teacher, and one batch.
"""

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.lake import Lake
from pipelines.tables import TABLES
from pipelines.teach.journal import Journal, Row, folder_of, take_over
from pipelines.teach.requests import Answer, Request, Teacher
from prompts.schemas import digest
from prompts.versions import prompt_version

COMMIT_ROWS = 512
"""Most answers in one commit: a Delta commit costs about 15 ms, so that the ledger's share an answer is negligible."""

COMMIT_SECONDS = 2.0
"""Longest time that an answer waits for its commit while others come in."""

COMPACT_EVERY = 128
"""Commits after which their small files are merged."""

PREFIX = 16
"""Hex digits of a key that are held in memory; a key that seems known is looked up in full."""


class Ledger:
    """The answers of one teacher: what is known, and what this run adds."""

    def __init__(self, lake: Lake, teacher: Teacher) -> None:
        """Commits what dead writers left, then reads the keys of the teacher's answers, nothing else."""
        self._lake, self._teacher = lake, teacher
        take_over(folder_of(lake), self._adopt)
        self._journal = Journal(folder_of(lake))
        known = lake.read("completions", columns=["request_key"], among=("teacher", pa.array([teacher.name])))
        self._known = np.sort(_prefixes(known.column("request_key")))
        self._mine: set[str] = set()
        self._pending: list[dict[str, Any]] = []
        self._since = time.monotonic()
        self._commits = 0

    def _adopt(self, left: Sequence[Row]) -> None:
        """Commit answers of a dead writer, without those that it had committed itself."""
        keys = pa.array([row["request_key"] for row in left], pa.string())
        there = self._lake.read("completions", columns=["request_key"], among=("request_key", keys))
        known = set(there.column("request_key").to_pylist())
        new = [row for row in left if row["request_key"] not in known]
        self._lake.append("completions", pa.Table.from_pylist(new, schema=TABLES["completions"].schema))

    def find(self, asked: Iterable[tuple[str, Request]]) -> dict[str, dict[str, Any]]:
        """Ledger rows of the questions that have an answer, by key."""
        asked = list(asked)
        keys, ids = [key for key, _ in asked], [request.image_id for _, request in asked]
        old = self._seen_before(keys)
        wanted = [n for n, key in enumerate(keys) if old[n] or key in self._mine]
        if not wanted:
            return {}
        self.commit()
        inside = [ids[n] for n in wanted]
        found = self._rows({keys[n] for n in wanted}, ("image_id", min(inside), max(inside)))
        return found | self._rows({keys[n] for n in wanted} - found.keys(), None)

    def _rows(self, keys: set[str], between: tuple[str, str, str] | None) -> dict[str, dict[str, Any]]:
        if not keys:
            return {}
        rows = self._lake.read("completions", among=("request_key", pa.array(sorted(keys))), between=between)
        return {row["request_key"]: row for row in rows.to_pylist()}

    def _seen_before(self, keys: list[str]) -> np.ndarray:
        if not keys or not len(self._known):
            return np.zeros(len(keys), bool)
        asked = _prefixes(pa.chunked_array([keys], pa.string()))
        place = np.minimum(np.searchsorted(self._known, asked), len(self._known) - 1)
        return self._known[place] == asked

    def note(self, key: str, request: Request, answer: Answer, engine_seconds: float, gpus: int) -> dict[str, Any]:
        """Keep an answer; returns its row. Written down at once, committed with others soon."""
        row = row_of(key, request, self._teacher, answer) | {"engine_seconds": engine_seconds, "gpus": gpus}
        self._journal.add(row)
        self._mine.add(key)
        self._pending.append(row)
        self.commit_when_due()
        return row

    def commit_when_due(self) -> None:
        """Commit a full batch, or one that has waited for two seconds."""
        if len(self._pending) >= COMMIT_ROWS or time.monotonic() - self._since > COMMIT_SECONDS:
            self.commit()

    def commit(self) -> None:
        """Make everything noted so far durable."""
        self._since = time.monotonic()
        if self._pending:
            self._lake.append("completions", pa.Table.from_pylist(self._pending, schema=TABLES["completions"].schema))
            self._journal.clear()
            self._pending, self._commits = [], self._commits + 1
            if self._commits % COMPACT_EVERY == 0:
                self._lake.compact("completions")

    def close(self) -> None:
        """Commit the rest and merge the small files that are left."""
        self.commit()
        self._journal.close()
        if self._commits > 1:
            self._lake.compact("completions")


def _prefixes(keys: pa.ChunkedArray) -> np.ndarray:
    return np.array(pc.utf8_slice_codeunits(keys, 0, PREFIX).to_numpy(), dtype=f"S{PREFIX}")


def row_of(key: str, request: Request, teacher: Teacher, answer: Answer) -> dict[str, Any]:
    """The ledger row of an answer, without what it took."""
    return {
        "request_key": key,
        "stage": request.stage,
        "conditioning": request.conditioning,
        "image_id": request.image_id,
        "image_sha256": request.image_sha256,
        "picture": request.picture,
        "teacher": teacher.name,
        "revision": teacher.revision,
        "prompt_version": prompt_version(request.stage, request.kind, request.conditioning),
        "prompt_digest": digest(request.read_by(teacher)),
        "schema_digest": digest(request.schema),
        "sampling": json.dumps(dict(teacher.sampling), sort_keys=True),
        "seed": request.seed(teacher),
        "sample": request.sample,
        "attempt": request.attempt,
        "answer": answer.text,
        "failure": answer.failure,
        "finish_reason": answer.finish_reason,
        "prompt_tokens": answer.prompt_tokens,
        "image_tokens": answer.image_tokens,
        "answer_tokens": answer.answer_tokens,
    }
