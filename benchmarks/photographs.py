"""Pictures for benchmarks: of the sets in the mirror, through the repository's readers, and of the phantoms; always the same ones."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines import gather
from quality.raster import decode
from sources import archives, catalogue, phantom

REPOSITORY = Path(__file__).resolve().parent.parent
MIRROR = Path(os.environ.get("DERMOFORGE_MIRROR") or REPOSITORY.parent / "shared" / "data" / "mirror")


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture as its source gives it."""

    image_id: str
    modality: str
    data: bytes

    @property
    def rgb(self) -> np.ndarray:
        """The decoded raster."""
        return decode(self.data).rgb


def photographs(name: str, most: int | None = None, seed: int = 11) -> Iterator[Photograph]:
    """Up to `most` pictures of a set, spread over it; none, and a line that says so, where the mirror has no such set."""
    if name == "phantom":
        yield from _phantoms(most)
        return
    if not (MIRROR / name).is_dir():
        print(f"{name} is not in {MIRROR}: left out")
        return
    entry = catalogue.source(name)
    got = gather.gather(entry, mirror=str(MIRROR), cache="cache")
    records = gather.read(entry, got).records
    order = np.random.default_rng(seed).permutation(len(records))[:most]
    chosen = {(records[n].archive, records[n].member): records[n] for n in sorted(order)}
    where = {file.name: file.location for file in got.located}
    for archive in dict.fromkeys(archive for archive, _ in chosen):
        members = [member for held, member in chosen if held == archive]
        for member, data in archives.read_members(where[archive], members):
            record = chosen[archive, member]
            if isinstance(data, bytes):
                yield Photograph(record.image_id, str(record.modality), data)


def _phantoms(most: int | None) -> Iterator[Photograph]:
    drawn = [record for record in phantom.records() if record.member.endswith("-v0.jpg") and record.member.startswith("L")]
    for record in drawn[:most]:
        yield Photograph(record.image_id, str(record.modality), phantom.render(record.member))
