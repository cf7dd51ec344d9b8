"""Per-image stages: compute only the rows whose input changed, commit chunk by chunk, drop rows whose image is gone.

A row is up to date when its `input_digest` is the wanted one. That makes a rebuild cheap, a crash cost only the chunk in
flight, and a second run nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.lake import Lake
from pipelines.progress import Progress

COMPACT_ABOVE = 8
"""Chunks after which a stage merges its small files."""


@dataclass(frozen=True, slots=True)
class Increment:
    """What a stage did: rows kept as they were, computed, and dropped because their input is gone or changed."""

    kept: int
    computed: int
    dropped: int


def bring_up_to_date(
    lake: Lake,
    table: str,
    source: str,
    wanted: Mapping[str, str],
    compute: Callable[[list[str]], Iterable[pa.Table]],
) -> Increment:
    """Make `table`'s partition of `source` hold exactly the image ids of `wanted` at their input digests.

    `compute` gets the missing ids, sorted, and yields row chunks; each chunk is one commit.
    """
    have = lake.read(table, source=source, columns=["image_id", "input_digest"]).to_pydict()
    current = {i for i, d in zip(have["image_id"], have["input_digest"], strict=True) if wanted.get(i) == d}
    dropped = len(have["image_id"]) - len(current)
    if dropped:
        rows = lake.read(table, source=source)
        keep = pc.is_in(rows.column("image_id"), value_set=pa.array(sorted(current), pa.string()))
        lake.replace(table, rows.filter(keep), source=source)
    missing = sorted(set(wanted) - current)
    chunks = 0
    for chunk in _counted(compute(missing) if missing else (), f"{table} {source}", len(missing)):
        lake.append(table, chunk)
        chunks += 1
    if chunks > COMPACT_ABOVE:
        lake.compact(table)
    return Increment(kept=len(current), computed=len(missing), dropped=dropped)


def _counted(chunks: Iterable[pa.Table], what: str, total: int) -> Iterator[pa.Table]:
    progress = Progress(what, total)
    for chunk in chunks:
        yield chunk
        progress.add(chunk.num_rows)
