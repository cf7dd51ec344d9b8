"""Per-image stages: compute only the rows whose input changed, commit chunk by chunk, drop rows whose image is gone.

A row is up to date when its `input_digest` is the wanted one. That makes a rebuild cheap, a crash cost only the chunk in
flight, and a second run nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.lake import Lake
from pipelines.pixels import PixelBatch, pixel_batches
from pipelines.progress import Progress
from pipelines.tables import TABLES
from pipelines.workers import map_in_order
from prompts.schemas import digest

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
    missing, done = _without_stale(lake, table, source, wanted)
    chunks = 0
    for chunk in _counted(compute(missing) if missing else (), f"{table} {source}", len(missing)):
        lake.append(table, chunk)
        chunks += 1
    if chunks > COMPACT_ABOVE:
        lake.compact(table)
    return done


def _without_stale(lake: Lake, table: str, source: str, wanted: Mapping[str, str]) -> tuple[list[str], Increment]:
    """Drop the rows of a source that are not wanted at their digest; the ids that are missing now, sorted, and what will have been done."""
    have = lake.read(table, source=source, columns=["image_id", "input_digest"]).to_pydict()
    current = {i for i, d in zip(have["image_id"], have["input_digest"], strict=True) if wanted.get(i) == d}
    dropped = len(have["image_id"]) - len(current)
    if dropped:
        rows = lake.read(table, source=source)
        keep = pc.is_in(rows.column("image_id"), value_set=pa.array(sorted(current), pa.string()))
        lake.replace(table, rows.filter(keep), source=source)
    missing = sorted(set(wanted) - current)
    return missing, Increment(kept=len(current), computed=len(missing), dropped=dropped)


def bring_images_up_to_date(
    lake: Lake, table: str, source: str, version: str, rows_of: Callable[[PixelBatch], list[dict[str, Any]]]
) -> Increment:
    """Make `table` hold one row an image of `source`, by a function of its bytes that runs in workers and leaves out source and digest.

    `version` stands for that function: another one computes every row anew.
    """
    wanted = wanted_digests(lake, source, version)

    def compute(missing: list[str]) -> Iterator[pa.Table]:
        for rows in map_in_order(rows_of, pixel_batches(lake, missing, source=source)):
            filled = [row | {"source": source, "input_digest": wanted[row["image_id"]]} for row in rows]
            yield pa.Table.from_pylist(filled, schema=TABLES[table].schema)

    return bring_up_to_date(lake, table, source, wanted, compute)


def bring_tables_up_to_date(
    lake: Lake,
    source: str,
    versions: Mapping[str, str],
    rows_of: Callable[[PixelBatch], Mapping[str, list[dict[str, Any]]]],
) -> dict[str, Increment]:
    """As `bring_images_up_to_date`, for tables whose rows come of one decode: `versions` by table, `rows_of` gives the rows of each.

    Each table takes what it lacks: a run that was cut short between two commits is made good by the next.
    """
    wanted = {table: wanted_digests(lake, source, version) for table, version in versions.items()}
    plans = {table: _without_stale(lake, table, source, wanted[table]) for table in versions}
    lacking = {table: frozenset(missing) for table, (missing, _) in plans.items()}
    todo, chunks = sorted(frozenset[str]().union(*lacking.values())), 0
    progress = Progress(f"{', '.join(versions)} {source}", len(todo))
    for batch in map_in_order(rows_of, pixel_batches(lake, todo, source=source)):
        for table, rows in batch.items():
            stamps = {row["image_id"]: wanted[table][row["image_id"]] for row in rows if row["image_id"] in lacking[table]}
            filled = [r | {"source": source, "input_digest": stamps[r["image_id"]]} for r in rows if r["image_id"] in stamps]
            lake.append(table, pa.Table.from_pylist(filled, schema=TABLES[table].schema))
        progress.add(max(map(len, batch.values())))
        chunks += 1
    for table in versions if chunks > COMPACT_ABOVE else ():
        lake.compact(table)
    return {table: done for table, (_, done) in plans.items()}


def wanted_digests(lake: Lake, source: str, version: str) -> dict[str, str]:
    """The digest that each image's row has to have."""
    images = lake.read("images", source=source, columns=["image_id", "sha256"]).to_pydict()
    return {i: digest([version, sha]) for i, sha in zip(images["image_id"], images["sha256"], strict=True)}


def _counted(chunks: Iterable[pa.Table], what: str, total: int) -> Iterator[pa.Table]:
    progress = Progress(what, total)
    for chunk in chunks:
        yield chunk
        progress.add(chunk.num_rows)
