"""A release: shards, trainer exports, credits, documents and manifest, built beside its place and moved there in one rename.

Its version is a hash of what it says, so the same corpus is the same folder and a second run finds it ready. What may go out is decided in
`pipelines.outgoing`, and read back from the written files in `pipelines.audit`. Images are cleaned once, into the tree of the trainer
exports; shards take them from there. Samples pass through a spool on disk, a file a bucket: memory is about 300 bytes a sample, and the
text of one bucket.
"""

import hashlib
import json
import os
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version as package_version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines import mix
from pipelines.credit import attribution, licence_texts
from pipelines.documents import DOCUMENTS, write_documents
from pipelines.exports import write_exports, write_pairs
from pipelines.history import note, noted
from pipelines.lake import Lake
from pipelines.outgoing import Outgoing, outgoing
from pipelines.pixels import pixel_batches
from pipelines.provenance import asked
from pipelines.shard import ShardJob, TreeJob, Written, prefixes, write_images, write_shard
from pipelines.tallies import tallies
from pipelines.unchanged import made_of, recall
from pipelines.unchanged import note as remember
from pipelines.workers import map_in_order
from prompts.formats import FORMATS
from prompts.ontology import load
from prompts.schemas import digest
from sources.licences import Profile, carries_images

LAYOUT = "5"
"""Raise when the files of a release change for the same rows."""

WRITERS = ("pyarrow", "pillow", "datasets", "matplotlib")
"""Packages whose version can change the bytes of a release."""

LEAST_BYTES = 32 << 10
"""What an image weighs at least when buckets are filled, and all that it weighs in a release without images.

So a bucket has at most 8,192 images, and a worker that holds the text of one at most about 100 MB.
"""


@dataclass(frozen=True, slots=True)
class Release:
    """A finished release: where it is, its manifest, and whether it stood there already."""

    path: Path
    manifest: dict[str, Any]
    reused: bool


class ReleaseDamaged(Exception):
    """A file of an existing release does not match its manifest."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the release that the lake stands for now says: the manifest without its files, its version, and what goes into it.

    `keys` are the keys of its images.
    """

    head: dict[str, Any]
    version: str
    outgoing: Outgoing
    credits: Counter[tuple[str, str, str]]
    keys: frozenset[str]


def release(
    lake: Lake, sources: Sequence[str], root: Path, profile: Profile = "noncommercial", cleared: Collection[str] = ()
) -> Release | None:
    """Write (or find) the release of `sources` under `root`; None when no sample may be released.

    `cleared` are ids of images that a person has looked at: the gates that ask for that hold them back no longer.
    Raises ReleaseDamaged for an existing release that was changed, and ExportFault before anything is moved.
    """
    version = _standing(lake, sources, profile, cleared)
    if version and (root / version / "manifest.json").exists() and noted(root, version):
        return Release(root / version, verified(root / version), reused=True)
    plan = planned(lake, sources, profile, cleared)
    if not plan.head["samples"]:
        return None
    final = root / plan.version
    if (final / "manifest.json").exists():
        note(root, plan.version, plan.outgoing, sources, plan.keys)
        return Release(final, verified(final), reused=True)
    staging = root / f".{plan.version}.partial"
    shutil.rmtree(staging, ignore_errors=True)
    manifest = _build(plan, staging / "release", staging / "spool")
    note(root, plan.version, plan.outgoing, sources, plan.keys)
    os.replace(staging / "release", final)
    shutil.rmtree(staging)
    return Release(final, manifest, reused=False)


def latest(
    lake: Lake, sources: Sequence[str], root: Path, profile: Profile, cleared: Collection[str] = ()
) -> dict[str, Any] | None:
    """The manifest of the release that the lake stands for now, if it has been written."""
    version = _standing(lake, sources, profile, cleared) or planned(lake, sources, profile, cleared).version
    path = root / version / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def releasable(
    lake: Lake, sources: Sequence[str], profile: Profile, cleared: Collection[str] = ()
) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Samples that a release would hold, by id, and how many images are withheld by which reason. Memory: the text of all samples."""
    found = outgoing(lake, sources, profile, cleared)
    rows = sorted((row for batch in found.rows() for row in batch.to_pylist()), key=lambda row: row["sample_id"])
    return rows, Counter(found.withheld())


@dataclass(slots=True)
class _Tally:
    """What one pass over the outgoing samples adds up to."""

    samples: Counter[tuple[str, str]] = field(default_factory=Counter)
    images: dict[str, str] = field(default_factory=dict)
    credits: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    teachers: set[str] = field(default_factory=set)
    stamps: bytearray = field(default_factory=bytearray)

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a sample."""
        self.samples[row["format"], row["split"]] += 1
        self.images[row["image_key"]] = sys.intern(row["split"])
        self.credits[row["source"], row["licence_id"], row["attribution"]] += 1
        self.teachers.add(f"{row['teacher']} {row['revision']} ({row['conditioning']})")
        self.stamps += bytes.fromhex(digest(_stamp(row)))


PLANNED = (
    *("diagnoses", "duplicate_pairs", "groups", "image_quality", "images", "mixes", "preference_pairs", "quarantine"),
    *("rejects", "samples", "sources", "trajectories"),
)
"""Tables that a plan hangs on, the ledger apart."""


def _made_of(lake: Lake, sources: Sequence[str], profile: Profile, cleared: Collection[str]) -> str:
    return made_of(lake, PLANNED, None, sorted(sources), profile, sorted(cleared))


def _standing(lake: Lake, sources: Sequence[str], profile: Profile, cleared: Collection[str]) -> str | None:
    """The version of the release that the lake stands for, if it was planned of the same before."""
    was = recall(lake, f"plan/{profile}", _made_of(lake, sources, profile, cleared))
    return was["version"] if was else None


def planned(lake: Lake, sources: Sequence[str], profile: Profile, cleared: Collection[str] = ()) -> Plan:
    """The release that the lake stands for now. Reads the samples once, and notes the version."""
    made = _made_of(lake, sources, profile, cleared)
    found, tally = outgoing(lake, sources, profile, cleared), _Tally()
    for batch in found.rows():
        for row in batch.to_pylist():
            tally.add(row)
    pairs = Counter[str]()
    for pair in found.pairs() if carries_images(found.profile) else ():
        pairs[pair["split"]] += 1
        tally.stamps += bytes.fromhex(digest([pair[key] for key in PAIRED]))
    head = _head(lake, found, tally, sources) | {"preference_pairs": dict(sorted(pairs.items()))}
    sink = hashlib.sha256(digest(head).encode())
    sink.update(np.sort(np.frombuffer(bytes(tally.stamps), "S32")).tobytes())  # padding with zeros does not change their order
    version = f"{head['name']}-{sink.hexdigest()[:12]}"
    remember(lake, f"plan/{profile}", made, {"version": version})
    return Plan({"version": version, **head}, version, found, tally.credits, frozenset(tally.images))


SHOWN = (
    *(
        "sample_id",
        "image_id",
        "image_sha256",
        "source",
        "format",
        "split",
        "messages",
        "ground_truth",
        "diagnosis",
        "taxon_path",
    ),
    *("weight", "teacher", "revision", "conditioning", "verified_by", "licence_id", "attribution"),
)
"""Everything of a sample that a release shows: its version hangs on it."""

PAIRED = ("pair_id", "image_id", "split", "prompt", "chosen", "rejected", "why", "teacher", "verified_by", "licence_id")
"""The same of a preference pair."""


def _stamp(row: Mapping[str, Any]) -> list[Any]:
    return [row[key] for key in SHOWN]


def _head(lake: Lake, found: Outgoing, tally: _Tally, sources: Sequence[str]) -> dict[str, Any]:
    """What the manifest says before any file is written."""
    used = sorted({source for source, _, _ in tally.credits})
    inputs = {row["source"]: row for row in lake.read("sources").to_pylist()}
    return {
        "name": "phantom" if used == ["phantom"] else "corpus",
        "layout": LAYOUT,
        "profile": found.profile,
        "requested_sources": sorted(sources),
        "sources": {name: {key: inputs[name][key] for key in ("version", "input_digest")} for name in used},
        "licences": {name: sorted({licence for source, licence, _ in tally.credits if source == name}) for name in used},
        "attributions": {name: _attributions(tally.credits, name) for name in used},
        "withheld_images": found.withheld(),
        "teachers": sorted(tally.teachers),
        "asked": asked(lake, used),
        "mix": mix.used(lake, used),
        "corpus": tallies(lake, sorted(sources)),
        "ontology": load().digest,
        "written_with": {name: package_version(name) for name in WRITERS},
        "samples": {f"{name}/{split}": count for (name, split), count in sorted(tally.samples.items())},
        "images": dict(sorted(Counter(tally.images.values()).items())),
    }


def _attributions(credits: Counter[tuple[str, str, str]], source: str) -> list[str]:  # noqa: A002
    """Whom a source's rows name: the twenty most frequent; ATTRIBUTION.md names all."""
    counts = Counter[str]()
    for (name, _, text), count in credits.items():
        counts[text] += count if name == source else 0
    named = [(text, count) for text, count in counts.items() if count]
    return [text for text, _ in sorted(named, key=lambda item: (-item[1], item[0]))[:20]]


def _build(plan: Plan, root: Path, spool: Path) -> dict[str, Any]:
    root.mkdir(parents=True)
    written: list[Written] = []
    rows = spooled_rows(plan.outgoing, spool)
    for done in map_in_order(write_images, image_jobs(plan.outgoing, root, rows.images)):
        written += done
    for done in map_in_order(write_shard, shard_jobs(rows, root, carries_images(plan.outgoing.profile))):
        written += done
    counts = {entry.path: entry.rows for entry in written if entry.rows is not None}
    if carries_images(plan.outgoing.profile):
        counts |= write_exports(root, rows) | write_pairs(root, plan.outgoing.pairs())
        _write_wids(root, written)
    for name, text in (("ATTRIBUTION.md", attribution(plan.credits)), ("LICENSES.md", licence_texts(plan.head, plan.credits))):
        (root / name).write_text(text, encoding="utf-8")
    if not carries_images(plan.outgoing.profile):
        shutil.copyfile(Path(__file__).with_name("rejoin.py"), root / "rejoin.py")
    files = _entries(root, written, counts)
    write_documents(plan.outgoing.lake, root, plan.head, rows, files)
    files += [_entry(root, path) for path in DOCUMENTS]
    manifest = {**plan.head, "files": sorted(files, key=lambda entry: entry["path"])}
    _write_durably(root / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return manifest


class Spooled(Sequence[Mapping[str, Any]]):
    """The outgoing samples on disk, one Arrow file a bucket, in the order of splits and buckets. Memory: the text of a bucket."""

    def __init__(self, files: Mapping[tuple[str, str], Path], count: int, images: frozenset[str]) -> None:
        """`files` by split and bucket; `images` are the ids of the samples' images."""
        self.files, self._count, self.images = files, count, images

    def __len__(self) -> int:
        """How many samples there are."""
        return self._count

    def __getitem__(self, at: Any) -> Any:
        """One sample, or a list of them; reads from the start."""
        if isinstance(at, slice):
            return list(islice(self, *at.indices(len(self))))
        return next(islice(self, range(len(self))[at], None))

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """All samples, bucket by bucket, sorted within each: whatever the order in which the lake holds them."""
        for path in self.files.values():
            with pa.OSFile(str(path)) as source:
                rows = pa.ipc.open_file(source).read_all().sort_by([("image_key", "ascending"), ("sample_id", "ascending")])
            for batch in rows.to_batches(max_chunksize=1024):
                yield from batch.to_pylist()


def spooled_rows(found: Outgoing, spool: Path) -> Spooled:
    """Write the outgoing samples below `spool`, those of one bucket into one file."""
    spool.mkdir(parents=True)
    buckets, names, total = _Buckets(found), set[str](), 0
    sinks: dict[tuple[str, str], Any] = {}
    files: dict[tuple[str, str], Path] = {}
    try:
        for batch in found.rows():
            total += batch.num_rows
            names.update(batch.column("image_id").to_pylist())
            for cell, rows in buckets.divided(batch):
                if cell not in sinks:
                    files[cell] = spool / f"{'-'.join(cell)}.arrow"
                    sinks[cell] = pa.ipc.new_file(files[cell], rows.schema, options=pa.ipc.IpcWriteOptions(compression="zstd"))
                sinks[cell].write_table(rows)
    finally:
        for sink in sinks.values():
            sink.close()
    return Spooled(dict(sorted(files.items())), total, frozenset(names))


class _Buckets:
    """Which bucket each image is in: its source, and leading bits of its key where a source has more than a bucket's worth."""

    def __init__(self, found: Outgoing) -> None:
        sizes: dict[str, dict[str, int]] = defaultdict(dict)
        weigh = carries_images(found.profile)
        for row in found.images.select(["source", "image_key", "n_bytes"]).to_pylist():
            sizes[row["source"]][row["image_key"]] = max(row["n_bytes"] * weigh, LEAST_BYTES)
        self._prefix = {key: prefix for mine in sizes.values() for key, prefix in prefixes(mine).items()}

    def divided(self, batch: pa.Table) -> Iterator[tuple[tuple[str, str], pa.Table]]:
        """The rows of a batch by split and bucket."""
        cells: dict[tuple[str, str], list[int]] = defaultdict(list)
        for n, row in enumerate(batch.select(["split", "source", "image_key"]).to_pylist()):
            prefix = self._prefix[row["image_key"]]
            cells[row["split"], f"{row['source']}-{prefix}" if prefix else row["source"]].append(n)
        yield from ((cell, batch.take(pa.array(at, pa.int64()))) for cell, at in sorted(cells.items()))


def shard_jobs(rows: Spooled, root: Path, images: bool) -> list[ShardJob]:
    """One job a format, split and bucket, by name."""
    return [
        ShardJob(str(root), str(path), name, split, bucket, images)
        for name in sorted(FORMATS)
        for (split, bucket), path in rows.files.items()
    ]


def image_jobs(found: Outgoing, root: Path, images: Collection[str]) -> list[TreeJob]:
    """Jobs that write the image tree, in the order of the packs; none for a profile without images."""
    if not carries_images(found.profile):
        return []
    return [TreeJob(str(root), batch) for batch in pixel_batches(found.lake, sorted(images))]


def _write_wids(root: Path, written: Sequence[Written]) -> None:
    """The index that random-access WebDataset readers want, one a format and split."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for tar in sorted((entry for entry in written if entry.path.endswith(".tar")), key=lambda entry: entry.path):
        path = Path(tar.path)
        entry = {"url": path.name, "md5sum": tar.md5, "nsamples": tar.rows, "filesize": tar.n_bytes}
        groups[f"{path.parent}/{path.name.split('-')[0]}-wids.json"].append(entry)
    for name, shards in groups.items():
        index = {"__kind__": "wids-shard-index-v1", "wids_version": 1, "shardlist": shards}
        (root / name).write_text(json.dumps(index, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _entries(root: Path, written: Sequence[Written], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Every file of the release with size and checksum; workers have told those of what they wrote."""
    known = {entry.path: (entry.n_bytes, entry.sha256) for entry in written}
    entries = []
    for path in sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()):
        size, sha256 = known.get(path) or (None, None)
        entry = _entry(root, path) if size is None else {"path": path, "bytes": size, "sha256": sha256}
        entries.append({**entry, "rows": counts[path]} if path in counts else entry)
    return entries


def _entry(root: Path, path: str) -> dict[str, Any]:
    return {"path": path, "bytes": (root / path).stat().st_size, "sha256": _sha256(root / path)}


def _sha256(path: Path) -> str:
    sink = hashlib.sha256()
    with path.open("rb") as handle:
        for block in iter(partial(handle.read, 1 << 20), b""):
            sink.update(block)
    return sink.hexdigest()


def _write_durably(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


def verified(path: Path) -> dict[str, Any]:
    """The manifest of a release whose every file is as the manifest says. Raises ReleaseDamaged naming the first that is not."""
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        damaged = next(filter(None, pool.map(partial(_damaged, path), manifest["files"])), None)
    if damaged:
        raise ReleaseDamaged(f"{damaged} is missing or changed; delete {path} and run again")
    return manifest


def _damaged(path: Path, entry: Mapping[str, Any]) -> Path | None:
    file = path / entry["path"]
    return None if file.exists() and _sha256(file) == entry["sha256"] else file
