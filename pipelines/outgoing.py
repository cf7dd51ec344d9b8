"""What may go out: the images that nothing holds back, their samples a batch at a time, and the reasons why others stay.

Everything fails closed: a picture that an image gate excludes, that a person has to clear and has not, or that no gate has seen stays in;
so does what a licence outside the profile covers (of the image, or of what was said about it), an image whose notes name a person, and a
sample whose text does. Phantoms go out alone. Memory: about 200 bytes an image, and one batch of samples.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.columns import positions
from pipelines.lake import Lake
from pipelines.shard import image_key
from prompts.ontology import load
from quality.image_gates import ACTIONS
from quality.privacy import in_messages, in_notes, in_text
from sources.licences import Profile, may_release

Held = dict[str, set[str]]

AT_ONCE = 512
"""Samples that are looked at together: as Python objects they take several times what they take in Arrow."""


@dataclass(frozen=True, slots=True, eq=False)
class Outgoing:
    """Images that may go out (`image_id`, `source`, `image_sha256`, `n_bytes`, `image_key`, by id), and by reason ids of those that may not.

    `held` also takes what only the samples tell: it is complete when `rows` has been read to its end.
    """

    lake: Lake
    profile: Profile
    images: pa.Table
    held: Held = field(default_factory=lambda: defaultdict(set))

    @property
    def sources(self) -> list[str]:
        """Sources with images that may go out."""
        return sorted(set(self.images.column("source").to_pylist()))

    def withheld(self) -> dict[str, int]:
        """How many images are withheld by which reason."""
        return {why: len(ids) for why, ids in sorted(self.held.items()) if ids}

    def rows(self) -> Iterator[pa.Table]:
        """Samples that may go out, in batches of no particular order: the columns of `samples`, `ROW_EXTRAS` and the image's own."""
        names = self.images.column("image_id").combine_chunks()
        for source in self.sources:
            for batch in self.lake.batches("samples", source=source):
                for at in range(0, batch.num_rows, AT_ONCE):
                    some = batch.slice(at, AT_ONCE)
                    yield self._allowed(some, positions(some.column("image_id"), names))

    def pairs(self) -> Iterator[Mapping[str, Any]]:
        """Preference pairs that may go out: of images that may, under a licence that the profile allows, without personal data in their texts."""
        names = self.images.column("image_id").combine_chunks()
        for source in self.sources:
            for row in self.lake.read("preference_pairs", source=source, among=("image_id", names)).to_pylist():
                texts = [row["prompt"], row["chosen"], row["rejected"], *row["why"]]
                if may_release(row["licence_id"], self.profile) and not any(map(in_text, texts)):
                    yield row

    def _allowed(self, batch: pa.Table, at: np.ndarray) -> pa.Table:
        rows = batch.append_column("at", pa.array(at)).to_pylist()
        kept = [n for n, row in enumerate(rows) if row["at"] >= 0 and not self._refused(row)]
        chosen, its_image = batch.take(pa.array(kept, pa.int64())), self.images.take(pa.array(at[kept]))
        paths = [_names(row) for row in chosen.column("node").to_pylist()]
        chosen = chosen.append_column("diagnosis", pa.array([path[-1] for path in paths], pa.string()))
        chosen = chosen.append_column("taxon_path", pa.array([path[:-1] for path in paths], pa.list_(pa.string())))
        for name in ("image_key", "image_sha256", "n_bytes"):
            chosen = chosen.append_column(name, its_image.column(name))
        return chosen

    def _refused(self, row: Mapping[str, Any]) -> bool:
        """Whether a sample stays in although its image may go out; notes why."""
        why = []
        if not may_release(row["licence_id"], self.profile):
            why.append(_outside(row["licence_id"], self.profile))
        if in_messages(row["messages"]):
            why.append("personal data in the text of a sample")
        for reason in why:
            self.held[reason].add(row["image_id"])
        return bool(why)


def _names(node: str) -> list[str]:
    ontology = load()
    return [ontology.nodes[one].name for one in ontology.path(node)]


def _outside(licence_id: str | None, profile: Profile) -> str:
    return f"licence {licence_id} is outside profile {profile}"


def cleared_images(path: str) -> frozenset[str]:
    """Ids of images that a person has cleared for release: the lines of a file, without what follows a #; none without a file. Raises OSError."""
    lines = Path(path).read_text(encoding="utf-8").splitlines() if path else []
    return frozenset(filter(None, (line.split("#")[0].strip() for line in lines)))


def outgoing(lake: Lake, sources: Sequence[str], profile: Profile, cleared: Collection[str] = ()) -> Outgoing:
    """The images of `sources` that may go out under `profile`. `cleared` are ids of images that a person has looked at."""
    chosen = [name for name in sorted(set(sources)) if name != "phantom"] or ["phantom"]
    held: Held = defaultdict(set)
    if "phantom" in sources and chosen != ["phantom"]:
        held["phantoms are never mixed with real images"] |= set(_ids(lake, "samples", "phantom"))
    tables = [_passing(lake, name, profile, cleared, held) for name in chosen]
    return Outgoing(lake, profile, pa.concat_tables(tables).sort_by("image_id").combine_chunks(), held)


def _passing(lake: Lake, source: str, profile: Profile, cleared: Collection[str], held: Held) -> pa.Table:
    columns = ["image_id", "source", "sha256", "n_bytes", "licence_id", "history", "expert_caption"]
    images, gates = lake.read("images", source=source, columns=columns), _gates(lake, source)
    sampled, kept = set(_ids(lake, "samples", source)), []
    looked_at = images.select(["image_id", "licence_id", "history", "expert_caption"]).to_batches(max_chunksize=AT_ONCE)
    for at, row in enumerate(row for batch in looked_at for row in batch.to_pylist()):
        why = _reasons(row, gates.get(row["image_id"]), profile, row["image_id"] in cleared)
        if not why and row["image_id"] in sampled:
            kept.append(at)
        # An image that a gate excludes is never taught: it is counted although it has no sample.
        for reason in why if row["image_id"] in sampled or row["image_id"] in gates else ():
            held[reason].add(row["image_id"])
    unknown = sampled - set(images.column("image_id").to_pylist())
    held["no such image in the lake"] |= unknown
    table = images.select(["image_id", "source", "sha256", "n_bytes"]).take(pa.array(kept, pa.int64()))
    keys = pa.array([image_key(name) for name in table.column("image_id").to_pylist()], pa.string())
    return table.rename_columns(["image_id", "source", "image_sha256", "n_bytes"]).append_column("image_key", keys)


def _reasons(row: Mapping[str, Any], gates: Sequence[str] | None, profile: Profile, cleared: bool) -> list[str]:
    """Everything that keeps an image in."""
    if gates is None:
        return ["no image gate has seen it"]
    why = [f"image gate {code} excludes" for code in gates if ACTIONS[code] == "exclude"]
    if not cleared:
        why += [f"image gate {code}: to be reviewed" for code in gates if ACTIONS[code] == "review"]
        why += (
            ["personal data in the source's notes: to be reviewed"] if in_notes(row["history"], row["expert_caption"]) else []
        )
    if not why and not may_release(row["licence_id"], profile):
        why.append(_outside(row["licence_id"], profile))
    return why


def _gates(lake: Lake, source: str) -> dict[str, tuple[str, ...]]:
    """Gates that fired, by image. Memory: equal ones are one object."""
    rows = lake.read("image_quality", source=source, columns=["image_id", "gates"])
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    found = (known.setdefault(some, some) for batch in rows.column("gates").chunks for some in map(tuple, batch.to_pylist()))
    return dict(zip(rows.column("image_id").to_pylist(), found, strict=True))


def _ids(lake: Lake, table: str, source: str) -> list[str]:
    return pc.unique(lake.read(table, source=source, columns=["image_id"]).column("image_id")).to_pylist()
