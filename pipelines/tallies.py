"""What a corpus holds, in numbers that manifest, card, datasheet, report and the table at the end of a run share.

Every value is read back from the lake, none is remembered. Memory: two columns of a table at a time.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.lake import Lake


def tallies(lake: Lake, sources: Sequence[str]) -> dict[str, Any]:
    """Counts by stage for the sources given, each from the most frequent value down."""
    return {
        "images": {name: lake.read("images", source=name, columns=["image_id"]).num_rows for name in sources},
        "licences": tally(lake, "images", "licence_id", sources),
        "quarantined": quarantined(lake, sources, repaired=False),
        "repaired": quarantined(lake, sources, repaired=True),
        "image_gates": gates(lake, sources),
        "pairs": pairs(lake, sources),
        "groups": statuses(lake, sources),
        "trajectories": tally(lake, "trajectories", "status", sources),
        "rejects": tally(lake, "rejects", "check", sources),
    }


def tally(lake: Lake, table: str, column: str, sources: Sequence[str]) -> dict[str, int]:
    """How often each value of a column occurs."""
    counts: Counter[str] = Counter()
    for name in sources:
        counts.update(lake.read(table, source=name, columns=[column]).column(column).to_pylist())
    return ranked(counts)


def quarantined(lake: Lake, sources: Sequence[str], *, repaired: bool) -> dict[str, int]:
    """Inputs that fell out, or were mended, by reason."""
    counts: Counter[str] = Counter()
    for name in sources:
        rows = lake.read("quarantine", source=name, columns=["reason", "repaired"])
        counts.update(rows.filter(pc.equal(rows.column("repaired"), repaired)).column("reason").to_pylist())
    return ranked(counts)


def gates(lake: Lake, sources: Sequence[str]) -> dict[str, int]:
    """Pictures on which each image gate fired."""
    counts: Counter[str] = Counter()
    for name in sources:
        counts.update(pc.list_flatten(lake.read("image_quality", source=name, columns=["gates"]).column("gates")).to_pylist())
    return ranked(counts)


def pairs(lake: Lake, sources: Sequence[str]) -> dict[str, int]:
    """Edges inside these sources by `kind, verdict`; "one key" where a shared identifier needs no verdict."""
    rows = lake.read("duplicate_pairs", columns=["a", "b", "kind", "verdict"])
    inside = pc.and_(*(pc.is_in(source_of(rows.column(end)), pa.array(sorted(sources), pa.string())) for end in ("a", "b")))
    counts = rows.filter(inside).group_by(["kind", "verdict"]).aggregate([([], "count_all")]).to_pylist()
    return ranked(Counter({f"{row['kind']}, {row['verdict'] or 'one key'}": row["count_all"] for row in counts}))


def source_of(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """The sources of image ids."""
    return pc.list_element(pc.split_pattern(ids, ":", max_splits=1), 0)


def statuses(lake: Lake, sources: Sequence[str]) -> dict[str, int]:
    """Groups, and images by status and by split."""
    rows = lake.read("groups", columns=["source", "group_id", "status", "split"])
    rows = rows.filter(pc.is_in(rows.column("source"), pa.array(sorted(sources), pa.string())))
    counts = Counter(f"images {value}" for value in rows.column("status").to_pylist())
    counts += Counter(f"split {value}" for value in rows.column("split").to_pylist())
    return {"groups": pc.count_distinct(rows.column("group_id")).as_py(), **dict(sorted(counts.items()))}


def ranked(counts: Counter[Any]) -> dict[str, int]:
    """Counts from the most frequent down; equal ones by name."""
    return {str(value): count for value, count in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))}
