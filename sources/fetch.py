"""Published files, found or fetched: the mirror first, then the cache, then the file's own address.

`DERMOFORGE_MIRROR` names a folder or fsspec URL laid out `<source>/<published file name>`; files there are used in place. A
download is resumable, checked and moved into the cache in one rename.
"""

import hashlib
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

import fsspec

from sources.catalogue import Source, SourceFile
from sources.licences import LICENCES

BLOCK = 1 << 20
ATTEMPTS = 5
FIRST_WAIT_SECONDS = 1.0
"""Waits double: 1, 2, 4, 8 seconds between five attempts, about a quarter of a minute in all."""

log = logging.getLogger("dermoforge.fetch")


class SourceUnavailable(Exception):
    """Files that cannot be had automatically; the message says which, from where, where to put them, and under what licence."""


class ChecksumMismatch(Exception):
    """A fetched file that is not the published one; names the file, the expected and the found sha256."""


@dataclass(frozen=True, slots=True)
class Located:
    """A published file at a location that fsspec opens, with its size in bytes and sha256 (hex)."""

    name: str
    location: str
    size: int
    sha256: str


def locate(source: Source, *, mirror: str | None, cache: str) -> list[Located]:
    """Every file of a source, in the catalogue's order. Optional files that are nowhere are left out.

    Raises SourceUnavailable for required files that are nowhere and have no address, ChecksumMismatch for damaged ones.
    """
    found, absent = [], []
    for file in source.files:
        location = _standing(source, file, mirror, cache) or (file.url and _download(source, file, cache))
        if location:
            found.append(_checked(source, file, location))
        elif file.required:
            absent.append(file.name)
    if absent:
        raise SourceUnavailable(_instructions(source, absent, mirror, cache))
    return found


def _standing(source: Source, file: SourceFile, mirror: str | None, cache: str) -> str | None:
    for root in [mirror, cache] if mirror else [cache]:
        location = f"{root.rstrip('/')}/{source.name}/{file.name}"
        fs, path = fsspec.url_to_fs(location)
        if fs.exists(path):
            return location if "://" in location else os.path.abspath(location)
    return None


def _checked(source: Source, file: SourceFile, location: str) -> Located:
    size, sink = 0, hashlib.sha256()
    for block in _blocks(location):
        size += len(block)
        sink.update(block)
    if file.sha256 and sink.hexdigest() != file.sha256:
        raise ChecksumMismatch(
            f"{source.name}/{file.name} at {location}: expected sha256 {file.sha256}, found {sink.hexdigest()}"
        )
    return Located(file.name, location, size, sink.hexdigest())


def _blocks(location: str) -> Iterator[bytes]:
    with fsspec.open(location, "rb") as opened:
        handle = cast(IO[bytes], opened)
        while block := handle.read(BLOCK):
            yield block


def read_bytes(location: str) -> bytes:
    """The whole of a small file (a metadata table)."""
    return b"".join(_blocks(location))


def _instructions(source: Source, absent: list[str], mirror: str | None, cache: str) -> str:
    licence = LICENCES.get(source.licence_id)
    place = f"{(mirror or cache).rstrip('/')}/{source.name}/"
    return (
        f"{source.name}: {', '.join(absent)} cannot be fetched automatically. Get them from {source.url} "
        f"({licence.name if licence else source.licence_id}; access: {source.access}) and put them into {place} "
        "or name a folder that holds them with DERMOFORGE_MIRROR."
    )


def _download(source: Source, file: SourceFile, cache: str) -> str:
    """Fetch to `<cache>/<source>/<name>`, going on from a partial file, with bounded retries."""
    assert file.url
    target = os.path.join(os.path.abspath(cache), source.name, file.name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    wait = FIRST_WAIT_SECONDS
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _fetch_rest(source, file, f"{target}.partial")
            break
        except Exception as error:  # every protocol has errors of its own; all of them are worth another try
            if attempt == ATTEMPTS:
                raise SourceUnavailable(f"{source.name}/{file.name}: {file.url} failed {ATTEMPTS} times: {error}") from error
            log.warning("%s/%s: %s; trying again in %.0f s", source.name, file.name, error, wait)
            time.sleep(wait)
            wait *= 2
    try:
        _checked(source, file, f"{target}.partial")
    except ChecksumMismatch:
        os.unlink(f"{target}.partial")
        raise
    os.replace(f"{target}.partial", target)
    return target


def _fetch_rest(source: Source, file: SourceFile, partial: str) -> None:
    from tqdm import tqdm

    assert file.url
    fs, path = fsspec.url_to_fs(file.url)
    size = fs.info(path).get("size")
    have = os.path.getsize(partial) if os.path.exists(partial) else 0
    if size is None or have > size:
        have = 0
    with (
        open(partial, "ab" if have else "wb") as out,
        tqdm(total=size, initial=have, unit="B", unit_scale=True, desc=f"{source.name}/{file.name}") as bar,
    ):
        if size is None:
            out.write(fs.cat_file(path))
            return
        while have < size:
            block = fs.cat_file(path, start=have, end=min(have + 8 * BLOCK, size))
            if not block:
                raise OSError(f"the server ended the file at byte {have:,} of {size:,}")
            out.write(block)
            have += len(block)
            bar.update(len(block))
