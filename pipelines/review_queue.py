"""The review queue: trajectories that people should look at, chosen by `quality.review`, and its export for Label Studio.

The export is two pairs of files in a folder, `dermoscopic.json` with `dermoscopic.xml` and the same for clinical images: tasks with pictures,
and the labelling configuration of a project for them. Memory: the trajectories of the lake, and the pictures of one export.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.pixels import pixel_batches
from pipelines.tables import TABLES
from pipelines.teach.pictures import encoded, shrunk
from prompts.ontology import load
from quality import label_studio
from quality.review import SKIPPED, Chosen, choose

FOLDER = "queue"
"""Below the folder of reviews."""

PICTURE_PIXELS = 1_003_520
"""Of a picture in a task: as many as a teacher sees by default (`max_pixels`)."""


@dataclass(frozen=True, slots=True)
class Queue:
    """What people are asked to look at: rows of `review_queue`, and the files that were written for it."""

    rows: tuple[Mapping[str, Any], ...]
    files: tuple[Path, ...]

    @property
    def strata(self) -> dict[str, int]:
        """Items by the stratum that drew them."""
        return dict(Counter(row["stratum"] for row in self.rows))


def queue(lake: Lake, folder: Path) -> Queue:
    """Draw the queue, store it as `review_queue`, and write its export below `folder`. The same lake gives the same bytes."""
    judged = [row["item"] for row in lake.read("reviews", columns=["item", "verdict"]).to_pylist() if row["verdict"] != SKIPPED]
    chosen = choose(lake.read("trajectories").to_pylist(), judged, load())
    rows = [_row(one) for one in chosen]
    lake.replace("review_queue", pa.Table.from_pylist(rows, schema=TABLES["review_queue"].schema))
    pictures = dict(_pictures(lake, sorted({one.row["image_id"] for one in chosen})))
    files = [path for kind in ("dermoscopic", "clinical") for path in _export(folder / FOLDER, kind, chosen, pictures)]
    return Queue(tuple(rows), tuple(files))


def _row(one: Chosen) -> dict[str, Any]:
    names = ("image_id", "source", "teacher", "conditioning", "sample", "kind")
    return {"item": one.item, **{name: one.row[name] for name in names}, "stratum": one.stratum, "why": list(one.why)}


def _pictures(lake: Lake, image_ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """JPEG bytes as a teacher sees them: upright, in sRGB, without what the file said about camera and place."""
    from quality.raster import decode

    for batch in pixel_batches(lake, image_ids):
        for image_id, data in batch.images():
            yield image_id, encoded(shrunk(decode(data).rgb, PICTURE_PIXELS))


def _export(folder: Path, kind: str, chosen: Sequence[Chosen], pictures: Mapping[str, bytes]) -> Iterator[Path]:
    """Tasks and configuration of one kind; without items no file is left there."""
    tasks, setup = folder / f"{kind}.json", folder / f"{kind}.xml"
    mine = [one for one in chosen if one.row["kind"] == kind]
    if not mine:
        tasks.unlink(missing_ok=True)
        setup.unlink(missing_ok=True)
        return
    made = [_task(one, pictures[one.row["image_id"]]) for one in mine]
    yield _written(tasks, "[\n" + ",\n".join(json.dumps(entry, ensure_ascii=False, sort_keys=True) for entry in made) + "\n]\n")
    yield _written(setup, label_studio.config(kind, load()))


def _task(one: Chosen, jpeg: bytes) -> dict[str, Any]:
    label = load().nodes[one.row["node"]].name if one.row["node"] else "none"
    return label_studio.task(one.item, one.row, label, one.why, jpeg, load())


def _written(path: Path, text: str) -> Path:
    """The file, put there whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
    return path
