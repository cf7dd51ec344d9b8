"""Ingest: from published files to `images`, `quarantine` and packs, one source at a time.

Workers read archive members, decode them once to prove that they are images, and write packs; the driver commits the tables in
one step each, then the `sources` row that marks the source as read to its end. A kill before that row means reading the source
again, into the same packs. Memory: one batch of image bytes a worker, the metadata rows of one source in the driver.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.progress import Progress
from pipelines.tables import TABLES
from pipelines.workers import map_in_order
from prompts.schemas import digest
from quality import thresholds
from sources import archives, catalogue, fetch, tables
from sources.record import ImageRecord, Reject

VERSION = "1"
"""Raise when reading or decoding changes: every source is then read again."""

BATCH_ROWS, BATCH_BYTES = 512, 128 << 20
"""Records and archive bytes of one worker task, which become one pack."""

log = logging.getLogger("dermoforge.ingest")


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest did: counts of the tables' rows now, and whether the source was already read."""

    images: int
    dropped: int
    repaired: int
    skipped: bool


class SourceTooDamaged(Exception):
    """More than the allowed share of a source's inputs did not become images; the message says which reasons."""


@dataclass(frozen=True, slots=True)
class IngestBatch:
    """Records of one task; `locations` says where each archive is. Phantoms have no archive and are drawn."""

    lake: Lake
    source: str
    version: str
    locations: Mapping[str, str]
    records: tuple[ImageRecord, ...]


def ingest(lake: Lake, name: str, *, mirror: str | None = None, cache: str = "cache") -> Ingested:
    """Read a source into the lake, unless the same files were read before. Raises SourceUnavailable, SourceTooDamaged."""
    entry = catalogue.source(name)
    located = [] if entry.access == "built-in" else fetch.locate(entry, mirror=mirror, cache=cache)
    stamp = digest([VERSION, entry.version, import_module(entry.reader).VERSION, {f.name: f.sha256 for f in located}])
    done = [row for row in lake.read("sources", source=name).to_pylist() if row["input_digest"] == stamp]
    if done:
        return Ingested(done[0]["images"], done[0]["dropped"], done[0]["repaired"], skipped=True)
    records, rejects = read_records(entry, located)
    batches = list(_batches(lake, entry, located, records))
    rows, found = _run(batches, name, len(records))
    return _commit(lake, entry, located, stamp, rows, [*rejects, *found])


def read_records(
    entry: catalogue.Source, located: Sequence[fetch.Located]
) -> tuple[list[tuple[ImageRecord, int]], list[Reject]]:
    """What the reader makes of the files: records (with the bytes their member takes) in the order of ids, and rejects."""
    reader = import_module(entry.reader)
    if entry.access == "built-in":
        return [(record, 0) for record in sorted(reader.records(), key=lambda r: r.native_id)], []
    role = {file.name: file.role for file in entry.files}
    rejects: list[Reject] = []
    members: list[archives.Member] = []
    parsed: dict[str, tables.Table] = {}
    for file in located:
        if role[file.name] == "images":
            found, bad = archives.scan(entry.name, file.name, file.location)
            members, rejects = members + found, rejects + bad
        elif role[file.name] == "table":
            parsed[file.name] = tables.parse(entry.name, file.name, fetch.read_bytes(file.location))
            rejects += parsed[file.name].rejects
    sizes = {(member.archive, member.name): member.size for member in members}
    records: dict[str, tuple[ImageRecord, int]] = {}
    for item in reader.read(parsed, members):
        if isinstance(item, Reject):
            rejects.append(item)
        elif item.native_id in records:
            rejects.append(_dropped(item, "duplicate_member", "a second image with this id"))
        else:
            records[item.native_id] = (item, sizes[item.archive, item.member])
    return [records[native_id] for native_id in sorted(records)], rejects


def _batches(
    lake: Lake, entry: catalogue.Source, located: Iterable[fetch.Located], records: Iterable[tuple[ImageRecord, int]]
) -> Iterator[IngestBatch]:
    locations = {file.name: file.location for file in located}
    batch: list[ImageRecord] = []
    held = 0
    for record, size in records:
        if batch and (len(batch) == BATCH_ROWS or held + size > BATCH_BYTES):
            yield IngestBatch(lake, entry.name, entry.version, locations, tuple(batch))
            batch, held = [], 0
        batch.append(record)
        held += size
    if batch:
        yield IngestBatch(lake, entry.name, entry.version, locations, tuple(batch))


def _run(batches: Sequence[IngestBatch], name: str, total: int) -> tuple[list[dict[str, Any]], list[Reject]]:
    progress, rows, rejects = Progress(f"images {name}", total), [], []
    for batch, (some, bad) in zip(batches, map_in_order(ingest_batch, batches), strict=True):
        rows += some
        rejects += bad
        progress.add(len(batch.records))
    return rows, rejects


def ingest_batch(batch: IngestBatch) -> tuple[list[dict[str, Any]], list[Reject]]:
    """Decode a batch and write its pack; rows of `images` and rejects. Runs in a worker."""
    from quality import raster

    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    kept: list[tuple[str, bytes]] = []
    for record, data in _bytes_of(batch):
        if isinstance(data, Reject):
            rejects.append(data)
            continue
        try:
            image = raster.decode(data, record.member)
        except raster.BadImage as error:
            rejects.append(_dropped(record, error.reason, error.detail))
            continue
        rejects += [_reject(record, reason, detail, repaired=True) for reason, detail in image.notes]
        rows.append({**_image_row(record, batch.version, data, image), "pack_row": len(kept)})
        kept.append((record.image_id, data))
    pack = batch.lake.write_pack(batch.source, kept) if kept else None
    return [{**row, "pack": pack} for row in rows], rejects


def _bytes_of(batch: IngestBatch) -> Iterator[tuple[ImageRecord, bytes | Reject]]:
    if not batch.locations:
        from sources import phantom

        yield from ((record, phantom.render(record.member)) for record in batch.records)
        return
    archive_names = sorted({record.archive for record in batch.records})
    read: dict[str, bytes | Reject] = {}
    for archive in archive_names:
        mine = {record.member: record for record in batch.records if record.archive == archive}
        for name, data in archives.read_members(batch.locations[archive], sorted(mine)):
            record = mine[name]
            bad = None if isinstance(data, bytes) else _dropped(record, data.reason, data.detail)
            read[record.native_id] = data if isinstance(data, bytes) else bad or b""
    yield from ((record, read[record.native_id]) for record in batch.records)


def _image_row(record: ImageRecord, version: str, data: bytes, image: Any) -> dict[str, Any]:
    from quality.raster import pixel_hash

    tone = record.skin_tone
    plain = asdict(record)
    for key in ("skin_tone", "expert_concepts", "history"):
        plain.pop(key)
    return {
        **plain,
        "image_id": record.image_id,
        "source_version": version,
        "width": image.rgb.shape[1],
        "height": image.rgb.shape[0],
        "format": image.format,
        "n_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "pixel_hash": pixel_hash(image.rgb),
        "skin_tone": tone.value if tone else None,
        "skin_tone_system": tone.system if tone else None,
        "skin_tone_basis": tone.basis if tone else None,
        "expert_concepts": json.dumps(dict(record.expert_concepts), sort_keys=True),
        "history": json.dumps(dict(record.history), sort_keys=True, ensure_ascii=False),
    }


def _reject(record: ImageRecord, reason: str, detail: str, *, repaired: bool) -> Reject:
    return Reject(
        source=record.source,
        native_id=record.native_id,
        reason=reason,
        detail=f"{record.archive}/{record.member}: {detail}",
        archive=record.archive,
        member=record.member,
        repaired=repaired,
    )


def _dropped(record: ImageRecord, reason: str, detail: str) -> Reject:
    return _reject(record, reason, detail, repaired=False)


def _commit(
    lake: Lake,
    entry: catalogue.Source,
    located: Sequence[fetch.Located],
    stamp: str,
    rows: list[dict[str, Any]],
    rejects: list[Reject],
) -> Ingested:
    dropped = sum(not reject.repaired for reject in rejects)
    unique = {(r.source, r.native_id, r.reason, r.detail): asdict(r) for r in rejects}
    lake.replace("images", pa.Table.from_pylist(rows, schema=TABLES["images"].schema), source=entry.name)
    quarantine = pa.Table.from_pylist(list(unique.values()), schema=TABLES["quarantine"].schema)
    lake.replace("quarantine", quarantine, source=entry.name)
    if dropped > thresholds.MAX_DROPPED_SHARE * (len(rows) + dropped):
        reasons = Counter(reject.reason for reject in rejects if not reject.repaired)
        raise SourceTooDamaged(
            f"{entry.name}: {dropped:,} of {len(rows) + dropped:,} inputs fell out ({dict(reasons.most_common())}); "
            f"see table quarantine. Allowed share: {thresholds.MAX_DROPPED_SHARE:.0%}"
        )
    files = json.dumps([{"name": f.name, "bytes": f.size, "sha256": f.sha256} for f in located])
    result = Ingested(len(rows), dropped, len(rejects) - dropped, skipped=False)
    row = {"source": entry.name, "version": entry.version, "input_digest": stamp, "files": files}
    done = {**row, "images": result.images, "dropped": result.dropped, "repaired": result.repaired}
    lake.replace("sources", pa.Table.from_pylist([done], schema=TABLES["sources"].schema), source=entry.name)
    return result
