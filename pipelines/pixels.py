"""Image bytes for workers: which rows of which packs hold a list of images, in batches that one task reads at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipelines.lake import Lake

BATCH = 256
"""Images a task: one row group of a pack, so that a task reads no byte it does not need."""


@dataclass(frozen=True, slots=True)
class PixelBatch:
    """Up to `BATCH` images of one pack: `(row in pack, image_id)`, ascending by row."""

    lake: Lake
    pack: str
    rows: tuple[tuple[int, str], ...]

    def images(self) -> Iterator[tuple[str, bytes]]:
        """`(image_id, file bytes)`, read when asked for. Several images may be one row."""
        names: dict[int, list[str]] = {}
        for row, name in self.rows:
            names.setdefault(row, []).append(name)
        for row, data in self.lake.read_pack(self.pack, names):
            yield from ((name, data) for name in names[row])


def pixel_batches(lake: Lake, image_ids: Sequence[str], *, source: str | None = None, size: int = BATCH) -> list[PixelBatch]:
    """Batches that cover `image_ids`, in the order of pack and row. Raises KeyError for an id that `images` does not hold."""
    table = lake.read("images", source=source, columns=["image_id", "pack", "pack_row"]).to_pydict()
    where = {i: (p, r) for i, p, r in zip(table["image_id"], table["pack"], table["pack_row"], strict=True)}
    places = sorted((*where[i], i) for i in image_ids)
    batches = []
    for pack, group in groupby(places, key=lambda place: place[0]):
        rows = [(row, image_id) for _, row, image_id in group]
        batches += [PixelBatch(lake, pack, tuple(rows[at : at + size])) for at in range(0, len(rows), size)]
    return batches
