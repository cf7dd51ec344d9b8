"""Archives read member by member, never unpacked to disk: zip by random access, or a plain folder.

Hostile archives end in rejects: unsafe names, links, bombs, nested archives, checksum failures, and zips cut short, whose whole
members are salvaged. Limits hold while reading, whatever the headers say.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, cast

import fsspec

from sources.record import Reject

MAX_MEMBER_BYTES = 512 << 20
"""A 30,000 x 5,000 16-bit TIFF fits; nothing that is one photograph is larger."""

MAX_RATIO = 200
"""Unpacked over packed: photographs stay under 2, text tables under 20, a zip bomb is above 1,000."""

MAX_TOTAL_BYTES = 4 << 40
"""Unpacked bytes of one archive: four times the largest open set."""

NESTED = {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"}
JUNK = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}

_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_LOCAL_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an archive: its name there and the size it claims to unpack to, in bytes."""

    archive: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Why a member's bytes are not to be had: a reason code and what happened."""

    reason: str
    detail: str


def scan(source: str, archive: str, location: str) -> tuple[list[Member], list[Reject]]:
    """Members that may be read, sorted by name, and a reject for each that may not. Folders and operating-system litter are left out."""
    rejects: list[Reject] = []

    def refuse(name: str, reason: str, detail: str) -> None:
        row = Reject(
            source=source,
            native_id=name,
            reason=reason,
            detail=f"{archive}/{name}: {detail}",
            archive=archive,
            member=name,
        )
        rejects.append(row)

    with fsspec.open(location, "rb") as opened:
        handle = cast(IO[bytes], opened)
        try:
            infos = zipfile.ZipFile(handle).infolist()
        except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
            refuse("", "archive_damaged", f"{error}; members before the damage are still read")
            infos = list(_salvaged(handle))
    members: dict[str, Member] = {}
    total = 0
    for info in infos:
        fault = _fault(info, total)
        if (
            info.is_dir()
            or JUNK & set(PurePosixPath(info.filename).parts)
            or PurePosixPath(info.filename).name.startswith("._")
        ):
            continue
        if fault:
            refuse(info.filename, *fault)
        elif info.filename in members:
            refuse(
                info.filename,
                "duplicate_member",
                "the name appears twice; the last one is what unpacking would leave, the first is used",
            )
        else:
            members[info.filename] = Member(archive, info.filename, info.file_size)
            total += info.file_size
    return [members[name] for name in sorted(members)], rejects


def _fault(info: zipfile.ZipInfo, total: int) -> tuple[str, str] | None:
    """Reason code and detail of a member that must not be read, from its header alone."""
    path = PurePosixPath(info.filename.replace("\\", "/"))
    mode = info.external_attr >> 16
    if path.is_absolute() or ".." in path.parts or (len(info.filename) > 1 and info.filename[1] == ":"):
        return "member_unsafe", "the name leaves the archive"
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_IFMT(mode) == 0):
        return "member_unsafe", "a link or a device, not a file"
    if info.flag_bits & 0x1:
        return "member_damaged", "encrypted"
    if info.file_size > MAX_MEMBER_BYTES or total + info.file_size > MAX_TOTAL_BYTES:
        return "member_too_large", f"claims {info.file_size:,} bytes"
    if info.file_size > MAX_RATIO * max(info.compress_size, 1) and info.file_size > 1 << 20:
        return "member_too_large", f"claims to unpack {info.compress_size:,} bytes to {info.file_size:,}"
    if path.suffix.casefold() in NESTED:
        return "nested_archive", "an archive inside the archive"
    return None


def _salvaged(handle: IO[bytes]) -> Iterator[zipfile.ZipInfo]:
    """Whole members of a zip whose directory at the end is gone, found by walking the headers from the front."""
    handle.seek(0, io.SEEK_END)
    end, at = handle.tell(), 0
    while True:
        handle.seek(at)
        fixed = handle.read(_LOCAL_HEADER.size)
        if len(fixed) < _LOCAL_HEADER.size or not fixed.startswith(_LOCAL_MAGIC):
            return
        _, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(fixed)
        name = handle.read(name_bytes).decode("utf-8" if flags & 0x800 else "cp437")
        start = at + _LOCAL_HEADER.size + name_bytes + extra_bytes
        # With bit 3 the sizes stand behind the data, where only the lost directory would have found them.
        if flags & 0x8 or start + packed > end:
            return
        info = zipfile.ZipInfo(name)
        info.header_offset, info.compress_type, info.flag_bits = at, method, flags
        info.CRC, info.compress_size, info.file_size = crc, packed, size
        yield info
        at = start + packed


def read_members(location: str, names: Sequence[str]) -> Iterator[tuple[str, bytes | Damage]]:
    """Bytes of the named members in the order given, or the damage that keeps them. One member is held at a time."""
    with fsspec.open(location, "rb") as opened:
        handle = cast(IO[bytes], opened)
        try:
            archive: zipfile.ZipFile | None = zipfile.ZipFile(handle)
            infos = {info.filename: info for info in reversed(archive.infolist())}
        except (zipfile.BadZipFile, NotImplementedError, OSError):
            archive, infos = None, {info.filename: info for info in _salvaged(handle)}
        for name in names:
            if name not in infos:
                yield name, Damage("member_damaged", "not in the archive any more")
            else:
                yield name, _read(handle, archive, infos[name])


def _read(handle: IO[bytes], archive: zipfile.ZipFile | None, info: zipfile.ZipInfo) -> bytes | Damage:
    try:
        data = _read_salvaged(handle, info) if archive is None else _read_member(archive, info)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        return Damage("member_damaged", str(error) or type(error).__name__)
    if len(data) > MAX_MEMBER_BYTES:
        return Damage("member_too_large", f"unpacks to more than {MAX_MEMBER_BYTES:,} bytes")
    return data


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as stream:
        return stream.read(MAX_MEMBER_BYTES + 1)


def _read_salvaged(handle: IO[bytes], info: zipfile.ZipInfo) -> bytes:
    handle.seek(info.header_offset + _LOCAL_HEADER.size - 4)
    name_bytes, extra_bytes = struct.unpack("<HH", handle.read(4))
    handle.seek(name_bytes + extra_bytes, io.SEEK_CUR)
    packed = handle.read(info.compress_size)
    if info.compress_type == zipfile.ZIP_STORED:
        data = packed
    elif info.compress_type == zipfile.ZIP_DEFLATED:
        data = zlib.decompressobj(-15).decompress(packed, MAX_MEMBER_BYTES + 1)
    else:
        raise zipfile.BadZipFile(f"compression method {info.compress_type} cannot be salvaged")
    if zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile("checksum does not match")
    return data
