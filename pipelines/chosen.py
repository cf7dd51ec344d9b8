"""The trajectories that are rendered: of every image and teacher the one that most people accepted, otherwise the first that passed.

Read in blocks of images, everything beside them that a rendering needs, so that no stage holds the texts of a source.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.annotations import annotated
from pipelines.lake import Lake
from pipelines.rate import refused
from pipelines.tables import TABLES

BLOCK = 4096
"""Images of a block: a row group of the tables, which are sorted by image."""

Row = dict[str, Any]

ABOUT = (
    *("image_id", "sha256", "licence_id", "attribution", "skin_tones"),
    *("age_years", "age_is_floor", "sex", "body_site", "history"),
)
"""Columns of `images` that a rendering uses."""


def blocks(lake: Lake, source: str) -> list[tuple[str, str]]:
    """First and last image id of each block of images of a source that have a trajectory."""
    found = pc.unique(lake.read("trajectories", source=source, columns=["image_id"]).column("image_id"))
    ids = found.take(pc.array_sort_indices(found))
    return [(ids[start].as_py(), ids[min(start + BLOCK, len(ids)) - 1].as_py()) for start in range(0, len(ids), BLOCK)]


def chosen(lake: Lake, source: str, columns: Sequence[str] | None = None) -> Iterator[list[Row]]:
    """Rendered trajectories with the image's facts, `split` and `gates`, a block at a time. `columns` of `trajectories`: all unless told."""
    low = refused(lake, source)
    for first, last in blocks(lake, source):
        between = ("image_id", first, last)
        rows = list(best(lake.read("trajectories", source=source, between=between, columns=columns).to_pylist(), low))
        yield beside_images(lake, source, rows, between)


def best(rows: Sequence[Row], low: set[tuple[Any, ...]]) -> Iterator[Row]:
    """The rendered trajectory of every image and teacher; the answer-blind control is never among them."""
    done: set[tuple[str, str]] = set()
    for row in sorted(rows, key=lambda row: -row["verified_by"]):
        if usable(row, low) and (image := (row["image_id"], row["teacher"])) not in done:
            done.add(image)
            yield row


def usable(row: Row, low: set[tuple[Any, ...]]) -> bool:
    """Whether a trajectory may be trained on: accepted, no control, and not scored too low by a judge unless people accepted it."""
    if row["status"] != "accepted" or row["control"]:
        return False
    return bool(row["verified_by"]) or tuple(row[name] for name in TABLES["trajectories"].key) not in low


def beside_images(lake: Lake, source: str, rows: Sequence[Row], between: tuple[str, str, str]) -> list[Row]:
    """Rows with what is known of their images."""
    images = lake.read("images", source=source, columns=list(ABOUT), between=between).to_pylist()
    about = {row["image_id"]: row for row in annotated(lake, images)}
    groups = lake.read("groups", columns=["image_id", "split"], between=between).to_pydict()
    splits = dict(zip(groups["image_id"], groups["split"], strict=True))
    seen = lake.read("image_quality", source=source, columns=["image_id", "gates"], between=between).to_pydict()
    gates = dict(zip(seen["image_id"], seen["gates"], strict=True))
    return [
        {**row, **about[row["image_id"]], "split": splits[row["image_id"]], "gates": gates.get(row["image_id"])} for row in rows
    ]


def table_of(name: str, rows: Sequence[Row]) -> pa.Table:
    """Rows as a table of the lake."""
    return pa.Table.from_pylist(list(rows), schema=TABLES[name].schema)
