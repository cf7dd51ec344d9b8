"""Archives read member by member, never unpacked to disk: zip and Parquet by random access, tar, and plain folders.

Hostile archives end in rejects: unsafe names, links, bombs, nested archives, checksum failures, and archives cut short, whose whole
members are still read. Limits hold while reading, whatever the headers say. Memory: one member at a time, and the names of all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import IO, NamedTuple, cast

import fsspec

from sources.record import Reject

MAX_MEMBER_BYTES = 512 << 20
"""A 30,000 x 5,000 16-bit TIFF fits; nothing that is one photograph is larger."""

MAX_RATIO = 200
"""Unpacked over packed: photographs stay under 2, text tables under 20, a bomb is above 1,000."""

MAX_TOTAL_BYTES = 4 << 40
"""Unpacked bytes of one archive: four times the largest open set."""

MAX_MEMBERS = 20_000_000
"""Names that one archive may hold: their list is kept in memory, about 300 bytes each."""

NESTED = {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"}
JUNK = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}
UNFINISHED = (".partial", ".partial.json")
"""Ends of names that a download in progress has: never a member."""

STREAMS = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""Archives that can only be read from front to back."""

FORMATS = (".zip", ".tar", *STREAMS, ".parquet")


class Place(NamedTuple):
    """Where an archive that can be read at any point holds a member, in bytes: spares reading its directory again.

    `start` is that of a zip's local header, or of a tar's data; `crc` and `deflated` are a zip's.
    """

    start: int
    packed: int
    crc: int = 0
    deflated: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an archive: its name there and the size it claims to unpack to, in bytes; its place, where that is known."""

    archive: str
    name: str
    size: int
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Damage:
    """Why a member's bytes are not to be had: a reason code and what happened."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What a container says about one of its files, before anything is decided; `packed` is None where it does not say."""

    name: str
    size: int
    packed: int | None = None
    fault: tuple[str, str] | None = None
    place: Place | None = None


NOWHERE: Mapping[str, tuple[int, Place]] = MappingProxyType({})


def is_stream(location: str) -> bool:
    """Whether members can only be had in their order, by reading everything before them."""
    return location.casefold().endswith(STREAMS)


def scan(source: str, archive: str, location: str) -> tuple[list[Member], list[Reject]]:
    """Members that may be read and a reject for each that may not; operating-system litter is left out.

    Sorted by name; in the order of the archive where it can only be read in that order.
    """
    rejects: list[Reject] = []
    members: dict[str, Member] = {}
    total = 0
    for entry in _entries(location):
        path = PurePosixPath(entry.name)
        if JUNK & set(path.parts) or path.name.startswith("._") or path.name.endswith(UNFINISHED):
            continue
        fault = entry.fault or _fault(entry, total) or _repeated(entry, members)
        if fault:
            rejects.append(_refused(source, archive, entry.name, *fault))
            if len(members) >= MAX_MEMBERS:
                break
            continue
        members[entry.name] = Member(archive, entry.name, entry.size, entry.place)
        total += entry.size
    found = list(members.values())
    return (found if is_stream(location) else sorted(found, key=lambda member: member.name)), rejects


def _refused(source: str, archive: str, name: str, reason: str, detail: str) -> Reject:
    detail = f"{archive}/{name}: {detail}"
    return Reject(source=source, native_id=name, reason=reason, detail=detail, archive=archive, member=name)


def _repeated(entry: Entry, members: dict[str, Member]) -> tuple[str, str] | None:
    if len(members) >= MAX_MEMBERS:
        return "member_too_large", f"more than {MAX_MEMBERS:,} members; the rest is not read"
    if entry.name in members:
        return "duplicate_member", "the name appears twice; the last one is what unpacking would leave, the first is used"
    return None


def _fault(entry: Entry, total: int) -> tuple[str, str] | None:
    """Reason code and detail of a member that must not be read, from what its container says alone."""
    path = PurePosixPath(entry.name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (len(entry.name) > 1 and entry.name[1] == ":") or "\0" in entry.name:
        return "member_unsafe", "the name leaves the archive"
    if entry.size > MAX_MEMBER_BYTES or total + entry.size > MAX_TOTAL_BYTES:
        return "member_too_large", f"claims {entry.size:,} bytes"
    if entry.packed is not None and entry.size > MAX_RATIO * max(entry.packed, 1) and entry.size > 1 << 20:
        return "member_too_large", f"claims to unpack {entry.packed:,} bytes to {entry.size:,}"
    if path.suffix.casefold() in NESTED:
        return "nested_archive", "an archive inside the archive"
    return None


def _entries(location: str) -> Iterator[Entry]:
    from sources import folders, parquets, tars, zips

    fs, path = fsspec.url_to_fs(location)
    if fs.isdir(path):
        yield from folders.entries(fs, path)
        return
    size = int(fs.size(path) or 0)
    with fs.open(path, "rb") as opened:
        handle = cast(IO[bytes], opened)
        if location.casefold().endswith(".parquet"):
            yield from parquets.entries(handle)
        elif _is_tar(location):
            yield from tars.entries(handle, location)
        else:
            yield from zips.entries(handle, size)


def read_members(
    location: str, names: Sequence[str], places: Mapping[str, tuple[int, Place]] = NOWHERE
) -> Iterator[tuple[str, bytes | Damage]]:
    """Bytes of the named members, or the damage that keeps them; in the order given, or of the archive where it is a stream.

    One member is held at a time. A name that is not there any more is damage too. `places` are members' sizes and places as `scan`
    found them: what does not stand there as it should is looked up as if nothing were known.
    """
    from sources import folders, parquets, tars, zips

    fs, path = fsspec.url_to_fs(location)
    if fs.isdir(path):
        yield from folders.read(fs, path, names)
        return
    with fs.open(path, "rb") as opened:
        handle = cast(IO[bytes], opened)
        if location.casefold().endswith(".parquet"):
            yield from parquets.read(handle, names)
        elif _is_tar(location):
            yield from tars.read(handle, location, names, places)
        else:
            yield from zips.read(handle, names, places)


def _is_tar(location: str) -> bool:
    return location.casefold().endswith((".tar", *STREAMS))
