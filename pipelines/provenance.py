"""How the text of accepted trajectories was asked for: one entry a teacher, stage and prompt version, read from the ledger."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.lake import Lake

ASKED = ("teacher", "revision", "stage", "conditioning", "prompt_version", "schema_digest", "sampling")


def asked(lake: Lake, sources: Sequence[str]) -> list[dict[str, Any]]:
    """Who answered, to which prompt and schema, sampled how, and how many of the accepted answers.

    Memory: two keys of 64 characters an accepted trajectory, and the columns above for each.
    """
    if not sources:
        return []
    tables = [
        lake.read("trajectories", source=name, columns=["status", "control", "observe_key", "reason_key"]) for name in sources
    ]
    rows = pa.concat_tables(tables)
    rows = rows.filter(pc.and_(pc.equal(rows.column("status"), "accepted"), pc.invert(rows.column("control"))))
    keys = pc.unique(pa.chunked_array([*rows.column("observe_key").chunks, *rows.column("reason_key").chunks], pa.string()))
    found = lake.read("completions", columns=list(ASKED), among=("request_key", keys.drop_null()))
    counted = found.group_by(list(ASKED)).aggregate([([], "count_all")]).to_pylist()
    entries = [{**{name: row[name] for name in ASKED}, "answers": row["count_all"]} for row in counted]
    return sorted(entries, key=lambda entry: [str(entry[name]) for name in ASKED])
