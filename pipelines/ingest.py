"""Ingest: from published files to `images`, `fingerprints`, `annotations`, `quarantine` and packs, one source at a time.

Workers read archive members, decode them once (which proves that they are images, and gives the perceptual hashes), and write
packs; the driver commits the tables in one step each, then the `sources` row that marks the source as read to its end. A kill before
that row means reading the source again, into the same packs. Memory: one batch of image bytes a worker (of a few batches in the
driver for archives that can only be read from front to back), in the driver what the records of one source say, about a kilobyte each;
finished rows wait on the disk.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines import gather, views
from pipelines.embed import wanted_views
from pipelines.lake import Lake
from pipelines.progress import Progress
from pipelines.spool import Spool
from pipelines.tables import TABLES
from pipelines.workers import map_in_order
from prompts.schemas import digest
from quality import phash, thresholds
from sources import archives, catalogue, fetch
from sources.digests import FolderDigest
from sources.entry import Source
from sources.licences import strictest
from sources.record import NOT_AN_IMAGE, Annotation, ImageRecord, Reject

VERSION = "2"
"""Raise when reading, decoding or hashing changes: every source is then read again."""

BATCH_ROWS, BATCH_BYTES = 256, 64 << 20
"""Records and archive bytes of one worker task, which become one pack."""

SEEN = ("width", "height", "format", "n_bytes", "sha256", "pixel_hash", "pack_row")
"""Columns of `images` that come from the bytes and not from what the source says."""

log = logging.getLogger("dermoforge.ingest")


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest did: counts of the tables' rows now, what changed upstream, and whether the source was already read."""

    images: int
    dropped: int
    repaired: int
    annotations: int
    drift: tuple[str, ...]
    skipped: bool


class SourceTooDamaged(Exception):
    """More than the allowed share of a source's inputs did not become images; the message says which reasons."""


@dataclass(frozen=True, slots=True)
class IngestBatch:
    """Records of one task; `locations` says where each archive is. Phantoms have no archive and are drawn.

    `members` are what the archives say of the records' files; `data` holds the bytes already, where only the driver can read them in
    order. `view` says what the embedding model is shown, where there is one.
    """

    lake: Lake
    source: str
    version: str
    locations: Mapping[str, str]
    records: tuple[ImageRecord, ...]
    members: tuple[archives.Member | None, ...] = ()
    data: tuple[bytes | archives.Damage, ...] | None = None
    view: views.Preparation | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a task made: rows of `images` and of `fingerprints`, and what fell out."""

    images: pa.Table
    fingerprints: pa.Table
    rejects: list[Reject]
    records: int


@dataclass(frozen=True, slots=True)
class Made:
    """What the tasks of a source made: rows, which wait on the disk, the packs they refer to, and what fell out."""

    images: Spool
    fingerprints: Spool
    packs: set[str] = field(default_factory=set)
    rejects: list[Reject] = field(default_factory=list)

    def add(self, written: Written) -> None:
        """Keep what a task made."""
        self.images.add(written.images)
        self.fingerprints.add(written.fingerprints)
        self.packs.update(written.images.column("pack").unique().to_pylist())
        self.rejects.extend(written.rejects)


def ingest(lake: Lake, name: str, *, mirror: str | None = None, cache: str = "cache", embedder: str = "") -> Ingested:
    """Read a source into the lake, unless the same files were read before. Raises SourceUnavailable, SourceTooDamaged.

    For an `embedder` whose weights are here the decode also makes what that model will be shown.
    """
    entry = catalogue.source(name)
    got = gather.gather(entry, mirror=mirror, cache=cache)
    before = lake.read("sources", source=name).to_pylist()
    if before and before[0]["input_digest"] == _stamp(entry, got):
        row = before[0]
        counts = (row["images"], row["dropped"], row["repaired"], row["annotations"])
        return Ingested(*counts, tuple(row["drift"] or ()), skipped=True)
    read = gather.read(entry, got)
    empty = IngestBatch(
        lake, entry.name, entry.version, {f.name: f.location for f in got.located}, (), view=wanted_views(embedder)
    )
    records = (_under_claims(entry, record) for record in read.records)
    with Spool("images") as images, Spool("fingerprints") as fingerprints:
        made = Made(images, fingerprints)
        for written in _run(_batches(empty, records, read.members), name, len(read.records)):
            made.add(written)
            _tell_what_was_read(got.located, written.images)
        read = replace(read, records=[], members={})  # the largest part of the driver's memory, and done with
        drift = _drift(before[0] if before else None, entry, got.located)
        return _commit(lake, entry, got.located, _stamp(entry, got), made, read.annotations, read.rejects, drift)


def _tell_what_was_read(located: Iterable[fetch.Located], images: pa.Table) -> None:
    """Spare the digests of folders what the workers have hashed."""
    for file in located:
        if isinstance(file.digest, FolderDigest):
            mine = images.filter(pc.field("archive") == file.name)
            file.digest.known.update(zip(mine.column("member").to_pylist(), mine.column("sha256").to_pylist(), strict=True))


def _stamp(entry: Source, got: gather.Gathered) -> str:
    return _stamp_of(entry, {file.name: file.sha256 for file in got.located}, [reject.detail for reject in got.dead])


def _stamp_of(entry: Source, files: Mapping[str, str], dead: Sequence[str]) -> str:
    return digest([VERSION, entry.version, gather.reader_version(entry), dict(files), list(dead)])


def outdated(entry: Source, row: Mapping[str, Any]) -> bool:
    """Whether a source would be read again though its files are the same; of sets with an address an image that is not known."""
    files = {file["name"]: file["sha256"] for file in json.loads(row["files"])}
    return not entry.linked and _stamp_of(entry, files, []) != row["input_digest"]


def _under_claims(entry: Source, record: ImageRecord) -> ImageRecord:
    """The record under the strictest of what its set and other statements about the set say."""
    if not entry.licence_claims:
        return record
    claims = (record.licence_id, *(licence for _, licence in entry.licence_claims))
    return replace(record, licence_id=strictest(claims))


def _drift(before: Mapping[str, Any] | None, entry: Source, located: Iterable[fetch.Located]) -> list[str]:
    """Files that changed although the catalogue's version of the set did not."""
    if before is None or before["version"] != entry.version:
        return []
    was = {file["name"]: file for file in json.loads(before["files"])}
    now = {file.name: file for file in located}
    changed = [
        f"{name}: sha256 {was[name]['sha256'][:12]}… ({was[name]['bytes']:,} bytes) is now {now[name].sha256[:12]}… "
        f"({now[name].size:,} bytes)"
        for name in sorted(was.keys() & now.keys())
        if was[name]["sha256"] != now[name].sha256
    ]
    gone = [f"{name}: no longer there" for name in sorted(was.keys() - now.keys())]
    return changed + gone + [f"{name}: new" for name in sorted(now.keys() - was.keys())]


def _batches(
    empty: IngestBatch, records: Iterable[ImageRecord], members: Mapping[tuple[str, str], archives.Member]
) -> Iterator[IngestBatch]:
    """Tasks in the order of ids; for an archive that is a stream, in its own order and with the bytes."""
    streams: dict[str, list[ImageRecord]] = {
        name: [] for name, location in sorted(empty.locations.items()) if archives.is_stream(location)
    }
    batch: list[ImageRecord] = []
    held: list[archives.Member | None] = []
    size = 0
    for record in records:
        if record.archive in streams:
            streams[record.archive].append(record)
            continue
        member = members.get((record.archive, record.member))
        size += member.size if member else 0
        if batch and (len(batch) == BATCH_ROWS or size > BATCH_BYTES):
            yield replace(empty, records=tuple(batch), members=tuple(held))
            batch, held, size = [], [], member.size if member else 0
        batch.append(record)
        held.append(member)
    if batch:
        yield replace(empty, records=tuple(batch), members=tuple(held))
    for name, streamed in streams.items():
        yield from _streamed(empty, name, streamed)


def _streamed(empty: IngestBatch, archive: str, records: list[ImageRecord]) -> Iterator[IngestBatch]:
    by_member = {record.member: record for record in records}
    batch: list[tuple[ImageRecord, bytes | archives.Damage]] = []
    held = 0
    for name, data in archives.read_members(empty.locations[archive], list(by_member)):
        size = len(data) if isinstance(data, bytes) else 0
        if batch and (len(batch) == BATCH_ROWS or held + size > BATCH_BYTES):
            yield replace(empty, records=tuple(r for r, _ in batch), data=tuple(d for _, d in batch))
            batch, held = [], 0
        batch.append((by_member[name], data))
        held += size
    if batch:
        yield replace(empty, records=tuple(r for r, _ in batch), data=tuple(d for _, d in batch))


def _run(batches: Iterable[IngestBatch], name: str, total: int) -> Iterator[Written]:
    progress = Progress(f"images {name}", total)
    for written in map_in_order(ingest_batch, batches):
        progress.add(written.records)
        yield written


def ingest_batch(batch: IngestBatch) -> Written:
    """Decode a batch, hash it and write its pack. Runs in a worker."""
    import cv2

    from quality import raster

    cv2.setNumThreads(1)  # the cores are busy with other batches: OpenCV's own threads would only take turns with them
    kept: list[ImageRecord] = []
    seen: list[tuple[Any, ...]] = []
    looks: list[Any] = []
    rejects: list[Reject] = []
    pictures: list[Any] = []
    with batch.lake.new_pack(batch.source) as pack:
        for record, data in _bytes_of(batch):
            if isinstance(data, archives.Damage):
                rejects.append(_reject(record, data.reason, data.detail))
                continue
            try:
                image = raster.decode(data, record.member)
            except raster.BadImage as error:
                rejects.append(_reject(record, error.reason, error.detail))
                continue
            rejects += [_reject(record, reason, detail, repaired=True) for reason, detail in image.notes]
            sha256 = hashlib.sha256(data).hexdigest()
            height, width, _ = image.rgb.shape
            row = pack.add(record.image_id, data, sha256)
            kept.append(record)
            seen.append((width, height, image.format, len(data), sha256, raster.pixel_hash(image.rgb), row))
            looks.append(phash.looks(image.rgb))
            pictures += [views.shown(image.rgb, batch.view)] if batch.view else []
    if pack.name and batch.view:
        views.hand_on(batch.lake, pack.name, batch.view, pictures)
    images = _images(kept, seen, batch.version, pack.name)
    return Written(images, _fingerprints(images, looks), rejects, len(batch.records))


def _bytes_of(batch: IngestBatch) -> Iterator[tuple[ImageRecord, bytes | archives.Damage]]:
    """Records with their bytes, archive by archive; which order is the batch's own wherever it holds one archive."""
    if batch.data is not None:
        yield from zip(batch.records, batch.data, strict=True)
        return
    if not batch.locations:
        from sources import phantom

        yield from ((record, phantom.render(record.member)) for record in batch.records)
        return
    for archive in sorted({record.archive for record in batch.records}):
        mine = {record.member: record for record in batch.records if record.archive == archive}
        places = {m.name: (m.size, m.place) for m in batch.members if m and m.place and m.archive == archive}
        for name, data in archives.read_members(batch.locations[archive], sorted(mine), places):
            yield mine[name], data


def _fingerprints(images: pa.Table, looks: Sequence[Any]) -> pa.Table:
    import numpy as np

    eight, difference = phash.hashes(looks) if looks else (np.empty((0, 8), np.uint64), np.empty(0, np.uint64))
    columns = {
        "image_id": images.column("image_id"),
        "source": images.column("source"),
        "algorithm": [phash.ALGORITHM] * len(looks),
        "phash": pa.ListArray.from_arrays(range(0, eight.size + 1, 8), eight.view(np.int64).reshape(-1)),
        "dhash": difference.view(np.int64),
    }
    return pa.table(columns, schema=TABLES["fingerprints"].schema)


def _images(records: Sequence[ImageRecord], seen: Sequence[tuple[Any, ...]], version: str, pack: str | None) -> pa.Table:
    """Rows of `images`: what the records say, column by column, and what was `SEEN` of each."""
    columns: dict[str, Any] = {name: [getattr(record, name) for record in records] for name in ImageRecord.__slots__}
    for name in ("expert_concepts", "history", "differential"):
        columns[name] = [_json(said) if said else "{}" for said in columns[name]]
    columns["skin_tones"] = [
        [{"value": t.value, "system": t.system, "basis": t.basis} for t in tones] for tones in columns["skin_tones"]
    ]
    columns |= {name: [row[at] for row in seen] for at, name in enumerate(SEEN)}
    columns["image_id"] = [record.image_id for record in records]
    columns |= {"source_version": [version] * len(records), "pack": [pack] * len(records)}
    schema = TABLES["images"].schema
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)


def _json(said: Mapping[str, Any]) -> str:
    return json.dumps(dict(said), sort_keys=True, ensure_ascii=False)


def _reject(record: ImageRecord, reason: str, detail: str, *, repaired: bool = False) -> Reject:
    return Reject(
        source=record.source,
        native_id=record.native_id,
        reason=reason,
        detail=f"{record.archive}/{record.member}: {detail}",
        archive=record.archive,
        member=record.member,
        repaired=repaired,
    )


def _commit(
    lake: Lake,
    entry: Source,
    located: Sequence[fetch.Located],
    stamp: str,
    made: Made,
    annotations: Sequence[Annotation],
    found: Sequence[Reject],
    drift: list[str],
) -> Ingested:
    rejects = [*found, *made.rejects]
    said = pa.Table.from_pylist([_annotation_row(a) for a in annotations], schema=TABLES["annotations"].schema)
    unique = {(r.source, r.native_id, r.reason, r.detail): asdict(r) for r in rejects}
    lost = Counter(reject.reason for reject in rejects if not reject.repaired)
    dropped, kept = sum(lost.values()), made.images.rows + said.num_rows
    bad = dropped - sum(lost[reason] for reason in _excused(entry, located))
    lake.settle(made.packs)
    lake.replace_streaming("images", made.images.parts(), source=entry.name, by="image_id")
    lake.replace_streaming("fingerprints", made.fingerprints.parts(), source=entry.name, by="image_id")
    lake.replace("annotations", said, source=entry.name)
    quarantine = pa.Table.from_pylist(list(unique.values()), schema=TABLES["quarantine"].schema)
    lake.replace("quarantine", quarantine, source=entry.name)
    if bad > thresholds.MAX_DROPPED_SHARE * (kept + bad) or (dropped and not kept):
        raise SourceTooDamaged(
            f"{entry.name}: {dropped:,} of {kept + dropped:,} inputs fell out ({dict(lost.most_common())}); "
            f"see table quarantine. Allowed share: {thresholds.MAX_DROPPED_SHARE:.0%}"
        )
    result = Ingested(made.images.rows, dropped, len(rejects) - dropped, said.num_rows, tuple(drift), skipped=False)
    row = {
        "source": entry.name,
        "version": entry.version,
        "input_digest": stamp,
        "files": json.dumps([{"name": f.name, "bytes": f.size, "sha256": f.sha256} for f in located]),
        "published": entry.published_images,
        "known_missing": entry.known_missing,
        "set_aside": sum(count for reason, count in lost.items() if reason not in NOT_AN_IMAGE),
        "drift": drift,
    }
    counts = {"images": result.images, "dropped": dropped, "repaired": result.repaired, "annotations": said.num_rows}
    lake.replace("sources", pa.Table.from_pylist([row | counts], schema=TABLES["sources"].schema), source=entry.name)
    for line in drift:
        log.warning("%s: upstream changed under version %s: %s", entry.name, entry.version, line)
    return result


def _excused(entry: Source, located: Iterable[fetch.Located]) -> set[str]:
    """Reasons that are no damage: dead addresses, files that are no photographs, and rows whose optional archive is not here."""
    here = {file.name for file in located}
    partly = any(file.role == "images" and not file.required and file.name not in here for file in entry.files)
    return {"link_dead", "not_a_photograph", "excluded_by_source"} | (
        {"row_without_image"} if partly or entry.linked else set()
    )


def _annotation_row(annotation: Annotation) -> dict[str, Any]:
    return {
        "source": annotation.source,
        "image_id": annotation.image_id,
        "expert_concepts": _json(annotation.expert_concepts),
        "expert_caption": annotation.expert_caption,
        "doubtful": annotation.doubtful,
        "licence_id": annotation.licence_id,
        "attribution": annotation.attribution,
    }
