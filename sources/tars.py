"""Tar, plain (by seeking) or compressed (from front to back); a damaged one gives the members before the damage."""

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from tarfile import EOFHeaderError  # type: ignore[attr-defined]
from typing import IO, Any

from sources.archives import MAX_MEMBER_BYTES, MAX_RATIO, NOWHERE, Damage, Entry, Place

_BROKEN = (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, ValueError, UnicodeError, OverflowError)
_FREE_BYTES = 64 << 20
"""Unpacked bytes before the ratio is looked at: headers and empty space at the front of a small archive may pack well."""


class _Bomb(OSError):
    """A stream that unpacks to far more than it takes up."""


class _Watched(io.RawIOBase):
    """An unpacking stream that stops when it gives more than `MAX_RATIO` times what it took."""

    def __init__(self, packed: IO[bytes], unpacked: Any) -> None:
        self._packed, self._unpacked, self._given = packed, unpacked, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._unpacked.read(min(size, 1 << 20) if size > 0 else 1 << 20)
        self._given += len(data)
        if self._given > _FREE_BYTES and self._given > MAX_RATIO * max(self._packed.tell(), 1):
            raise _Bomb(f"unpacks to more than {MAX_RATIO} times its size")
        return data


class _Info(tarfile.TarInfo):
    """Notes that the end mark was met: tarfile takes a cut or a broken header after the first for the end, without a word."""

    @classmethod
    def fromtarfile(cls, tarfile: Any) -> Any:
        try:
            return super().fromtarfile(tarfile)
        except EOFHeaderError:
            tarfile.met_end = True
            raise


class _Archive(tarfile.TarFile):
    met_end = False
    tarinfo = _Info


def _open(handle: IO[bytes], location: str) -> Any:
    name = location.casefold()
    if name.endswith(".tar"):
        return _Archive.open(fileobj=handle, mode="r:")
    unpack: Any = bz2.BZ2File if name.endswith("bz2") else lzma.LZMAFile if name.endswith("xz") else gzip.GzipFile
    unpacked = unpack(fileobj=handle) if unpack is gzip.GzipFile else unpack(handle)
    watched: Any = _Watched(handle, unpacked)
    return _Archive.open(fileobj=watched, mode="r|")


def entries(handle: IO[bytes], location: str) -> Iterator[Entry]:
    """Every file of the archive in its order; what is no plain file has a fault, and so has an archive that ends early."""
    try:
        with _open(handle, location) as archive:
            for info in archive:
                if info.isdir():
                    continue
                plain = info.isreg() and not info.issparse()
                fault = None if plain else ("member_unsafe", "a link or a device, not a file")
                place = Place(info.offset_data, info.size) if plain and location.casefold().endswith(".tar") else None
                yield Entry(info.name.removeprefix("./"), max(info.size, 0), fault=fault, place=place)
            if not archive.met_end:
                raise tarfile.ReadError("the archive has no end")
    except _BROKEN as error:
        yield Entry("", 0, fault=("archive_damaged", f"{error}; members before the damage are still read"))


def read(
    handle: IO[bytes], location: str, names: Sequence[str], places: Mapping[str, tuple[int, Place]] = NOWHERE
) -> Iterator[tuple[str, bytes | Damage]]:
    """Bytes of the named members in the archive's order, the first of equal names; then damage for names not met.

    Where every member's place is known, and each stands there, no other header is read.
    """
    by_place = sorted(names, key=lambda name: places[name][1].start) if all(name in places for name in names) else []
    for done, name in enumerate(by_place):
        data = _read_at(handle, places[name][1])
        if data is None:
            handle.seek(0)
            yield from _read_through(handle, location, by_place[done:])
            return
        yield name, data
    if not by_place:
        yield from _read_through(handle, location, names)


def _read_at(handle: IO[bytes], place: Place) -> bytes | None:
    """The data after a sound header of a plain file of that size; None for all else."""
    try:
        handle.seek(place.start - tarfile.BLOCKSIZE)
        info = tarfile.TarInfo.frombuf(handle.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
        data = handle.read(place.packed)
    except _BROKEN:
        return None
    return data if info.isreg() and info.size == place.packed == len(data) <= MAX_MEMBER_BYTES else None


def _read_through(handle: IO[bytes], location: str, names: Sequence[str]) -> Iterator[tuple[str, bytes | Damage]]:
    wanted = dict.fromkeys(names)
    try:
        with _open(handle, location) as archive:
            for info in archive:
                name = info.name.removeprefix("./")
                if name in wanted and info.isreg():
                    del wanted[name]
                    yield name, _read(archive, info)
                    if not wanted:
                        return
    except _BROKEN as error:
        why = str(error) or type(error).__name__
    else:
        why = "not in the archive any more"
    yield from ((name, Damage("member_damaged", why)) for name in wanted)


def _read(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes | Damage:
    if info.size > MAX_MEMBER_BYTES:
        return Damage("member_too_large", f"claims {info.size:,} bytes")
    try:
        stream = archive.extractfile(info)
        data = stream.read(MAX_MEMBER_BYTES + 1) if stream else b""
    except _BROKEN as error:
        return Damage("member_damaged", str(error) or type(error).__name__)
    return data if len(data) == info.size else Damage("member_damaged", f"{len(data):,} of {info.size:,} bytes")
