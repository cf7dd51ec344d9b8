"""Zip by random access; one cut short gives its whole members, found by walking the headers from the front."""

import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from isal.isal_zlib import crc32  # zlib's, at fifteen times its speed

from sources.archives import MAX_MEMBER_BYTES, NOWHERE, Damage, Entry, Place

_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_STRANGE = 0x1 | 0x20 | 0x40
"""Flags of encrypted and of patched members."""
_LOCAL_MAGIC = b"PK\x03\x04"
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    NotImplementedError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    OverflowError,
)
"""What zipfile and its decoders raise on damage: met by fuzzing."""


def entries(handle: IO[bytes], size: int) -> Iterator[Entry]:
    """Every entry of the directory, or of what can be salvaged. `size` is the file's, in bytes."""
    try:
        infos = zipfile.ZipFile(handle).infolist()
    except _BROKEN as error:
        yield Entry("", 0, fault=("archive_damaged", f"{error}; members before the damage are still read"))
        infos = list(_salvaged(handle))
    for info in infos:
        if not info.filename.endswith("/"):
            yield Entry(info.filename, info.file_size, info.compress_size, fault=_fault(info), place=_place(info))


def _fault(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    mode = info.external_attr >> 16
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_IFMT(mode) == 0):
        return "member_unsafe", "a link or a device, not a file"
    if info.flag_bits & 0x1:
        return "member_damaged", "encrypted"
    if not info.filename:
        return "member_unsafe", "no name"
    return None


def _place(info: zipfile.ZipInfo) -> Place | None:
    """Of members that are stored or deflated and nothing else (no encryption, no patches)."""
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    plain = deflated or (info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size)
    return (
        Place(info.header_offset, info.compress_size, info.CRC, deflated) if plain and not info.flag_bits & _STRANGE else None
    )


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
        name = handle.read(name_bytes).decode("utf-8" if flags & 0x800 else "cp437", errors="replace")
        start = at + _LOCAL_HEADER.size + name_bytes + extra_bytes
        # With bit 3 the sizes stand behind the data, where only the lost directory would have found them.
        if flags & 0x8 or start + packed > end:
            return
        info = zipfile.ZipInfo(name)
        info.header_offset, info.compress_type, info.flag_bits = at, method, flags
        info.CRC, info.compress_size, info.file_size = crc, packed, size
        yield info
        at = start + packed


def read(
    handle: IO[bytes], names: Sequence[str], places: Mapping[str, tuple[int, Place]] = NOWHERE
) -> Iterator[tuple[str, bytes | Damage]]:
    """Bytes of the named members in the order given, or the damage that keeps them.

    The directory is read only for members whose place is not known, or that do not stand there whole.
    """
    directory: tuple[zipfile.ZipFile | None, dict[str, zipfile.ZipInfo]] | None = None
    for name in names:
        found = _read_at(handle, name, *places[name]) if name in places else None
        if found is None:
            directory = directory or _directory(handle)
            archive, infos = directory
            absent = Damage("member_damaged", "not in the archive any more")
            found = _read(handle, archive, infos[name]) if name in infos else absent
        yield name, found


def _read_at(handle: IO[bytes], name: str, size: int, place: Place) -> bytes | None:
    """A member whose header and checksum say that it is the one looked for; None for all else."""
    try:
        handle.seek(place.start)
        fixed = handle.read(_LOCAL_HEADER.size)
        magic, *_, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(fixed)
        written = handle.read(name_bytes)
        same = written == name.encode() or written == name.encode("cp437", "replace")
        if magic != _LOCAL_MAGIC or not same or size > MAX_MEMBER_BYTES:
            return None
        handle.seek(extra_bytes, io.SEEK_CUR)
        data = handle.read(place.packed)
        if place.deflated:
            data = zlib.decompressobj(-15).decompress(data, size + 1)
    except _BROKEN:
        return None
    return data if len(data) == size and crc32(data) == place.crc else None


def _directory(handle: IO[bytes]) -> tuple[zipfile.ZipFile | None, dict[str, zipfile.ZipInfo]]:
    """Every member by name, the first of equal names; without an archive where its directory is lost."""
    try:
        archive = zipfile.ZipFile(handle)
        return archive, {info.filename: info for info in reversed(archive.infolist())}
    except _BROKEN:
        return None, {info.filename: info for info in _salvaged(handle)}


def _read(handle: IO[bytes], archive: zipfile.ZipFile | None, info: zipfile.ZipInfo) -> bytes | Damage:
    try:
        data = _read_salvaged(handle, info) if archive is None else _read_member(archive, info)
    except _BROKEN as error:
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
    if crc32(data) != info.CRC:
        raise zipfile.BadZipFile("checksum does not match")
    return data
