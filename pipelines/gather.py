"""From a catalogue entry to what its reader yields: fetch the files, open the tables, collect linked images, read.

This is where a set's route is decided: published files, an address an image, the ISIC Archive's API, or nothing (phantoms).
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import fsspec

from sources import archives, fetch, isic_api, parquets, tables
from sources.archives import Damage, Member
from sources.entry import Source
from sources.files import Files
from sources.record import Annotation, ImageRecord, Reject


@dataclass(frozen=True, slots=True)
class Gathered:
    """The files of a source, where they are, and a reject for each published address that gives no image."""

    located: tuple[fetch.Located, ...]
    dead: tuple[Reject, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader made of the files: records in the order of ids, annotations, rejects; `members` by archive and name."""

    records: list[ImageRecord]
    annotations: list[Annotation]
    rejects: list[Reject]
    members: Mapping[tuple[str, str], Member] = field(repr=False)


def reader_version(entry: Source) -> str:
    """The version of the code that reads a set, and for a set of your own its settings too."""
    return f"{import_module(entry.module).VERSION} {sorted((k, repr(v)) for k, v in entry.options.items())}"


def gather(entry: Source, *, mirror: str | None, cache: str) -> Gathered:
    """Fetch what is missing. Raises SourceUnavailable, ChecksumMismatch, QueryFailed, MetadataError."""
    if entry.access == "built-in":
        return Gathered(())
    if entry.query:
        _snapshot(entry, mirror, cache)
    located = fetch.locate(entry, mirror=mirror, cache=cache)
    if not entry.linked:
        return Gathered(tuple(located))
    reader = import_module(entry.module)
    files = Files(entry.name, _tables(entry, located))
    links = reader.links(files, entry) if entry.reader else reader.links(files)
    query = entry.query
    how = {"fetch_one": lambda link, target: isic_api.fetch_image(query, link, target)} if query else {}
    got = fetch.collect(entry, links, mirror=mirror, cache=cache, **how)
    return Gathered((*located, got.folder), got.dead)


def _snapshot(entry: Source, mirror: str | None, cache: str) -> None:
    """The archive's answer as a table in the cache, unless mirror or cache already hold one."""
    assert entry.query
    for root in (mirror, cache):
        fs, path = fsspec.url_to_fs(f"{root}/{entry.name}/metadata.csv") if root else (None, "")
        if fs and fs.exists(path):
            return
    isic_api.snapshot(entry.query, os.path.join(os.path.abspath(cache), entry.name))


def read(entry: Source, got: Gathered) -> Read:
    """Everything the reader yields, each image id once. Raises MetadataError for a table that cannot be read at all."""
    reader = import_module(entry.module)
    if entry.access == "built-in":
        return Read(sorted(reader.records(), key=lambda r: r.native_id), [], [], {})
    parsed = _tables(entry, got.located)
    rejects = [*got.dead, *(reject for table in parsed.values() for reject in table.rejects)]
    members: dict[str, list[Member]] = {"images": [], "extra": []}
    for file in got.located:
        if file.role in members:
            found, bad = archives.scan(entry.name, file.name, file.location)
            members[file.role] += found
            rejects += bad
    files = Files(entry.name, parsed, members["images"], members["extra"], _contents(got.located))
    items = list(reader.read(files, entry) if entry.reader else reader.read(files))
    places = {(member.archive, member.name): member for member in members["images"]}
    dead = {reject.native_id for reject in got.dead}
    return _sorted_out(items, [*rejects, *files.rejects], places, dead)


def _sorted_out(items: Sequence[Any], rejects: list[Reject], members: Mapping[tuple[str, str], Member], dead: set[str]) -> Read:
    records: dict[str, ImageRecord] = {}
    annotations: dict[str, Annotation] = {}
    for item in items:
        if isinstance(item, Reject):
            # An address that is dead explains why its row has no image.
            if not (item.reason == "row_without_image" and item.native_id in dead):
                rejects.append(item)
        elif isinstance(item, Annotation):
            annotations.setdefault(item.image_id, item)
        elif item.native_id in records:
            rejects.append(_second(item))
        else:
            records[item.native_id] = item
    ordered = [records[native_id] for native_id in sorted(records)]
    return Read(ordered, [annotations[i] for i in sorted(annotations)], rejects, members)


def _second(record: ImageRecord) -> Reject:
    return Reject(
        source=record.source,
        native_id=record.native_id,
        reason="duplicate_member",
        detail=f"{record.archive}/{record.member}: a second image with this id",
        archive=record.archive,
        member=record.member,
    )


def _tables(entry: Source, located: Sequence[fetch.Located]) -> dict[str, tables.Table]:
    about = {file.name: file for file in entry.files}
    parsed: dict[str, tables.Table] = {}
    for file in located:
        if file.location.casefold().endswith(".parquet"):
            with fsspec.open(file.location, "rb") as handle:
                parsed[file.name] = parquets.table(entry.name, file.name, handle)  # type: ignore[arg-type]
        elif file.role == "table":
            facts = about.get(file.name)
            header, keep = (facts.header, facts.columns) if facts else ("", ())
            parsed[file.name] = tables.parse(entry.name, file.name, fetch.read_bytes(file.location), header, keep)
    return parsed


def _contents(located: Sequence[fetch.Located]) -> Any:
    where = {file.name: file.location for file in located}

    def contents(members: Sequence[Member]) -> Iterator[tuple[Member, bytes | Damage]]:
        for archive in dict.fromkeys(member.archive for member in members):
            mine = {member.name: member for member in members if member.archive == archive}
            for name, data in archives.read_members(where[archive], list(mine)):
                yield mine[name], data

    return contents
