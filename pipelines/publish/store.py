"""Publishing to any fsspec URL: the files of a version first, then `latest.json`, the one step that readers see.

A version is named by its content, so its folder is only ever completed, never changed.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.publish.tree import Entry, NotPublished, Plan, Release

log = logging.getLogger("dermoforge.publish")

PART_BYTES = 50 << 20
"""Bytes of a part of a multipart upload (s3fs' own default); an object of twice that or more has a checksum made from its parts'."""

BLOCK = 1 << 20


def plan(release: Release, url: str) -> Plan:
    """What publishing would do below `url`. Sends nothing. Raises NotPublished when the store cannot be read."""
    with _explaining(url):
        files, root = _filesystem(url)
        held = _listing(files, f"{root}/{release.version}")
        there = tuple(entry for entry in release.entries if entry.path in held and _same(files, entry, held[entry.path]))
        latest = _latest(files, root)
    kept = {entry.path for entry in there}
    return Plan(
        release=release,
        target=url,
        state=f"latest.json names {latest}" if latest else "nothing was published there yet",
        revision=latest,
        send=tuple(entry for entry in release.entries if entry.path not in kept),
        there=there,
        gone={},
        left=tuple(sorted(set(held) - {entry.path for entry in release.entries})),
    )


def send(planned: Plan, url: str) -> str:
    """Do what was planned; returns the version that `latest.json` names now. Raises NotPublished; then it names what it named."""
    with _explaining(url):
        files, root = _filesystem(url)
        folder = f"{root}/{planned.release.version}"
        _upload(files, folder, planned.send)
        files.invalidate_cache()
        held = _listing(files, folder)
        wrong = [e.path for e in planned.release.entries if e.path not in held or not _same(files, e, held[e.path])]
        if wrong:
            raise NotPublished(
                f"{url}: {len(wrong)} files are not what was sent, the first {wrong[0]}; latest.json was not changed"
            )
        _point(files, root, planned.release)
    return planned.release.version


def _upload(files: Any, folder: str, entries: Sequence[Entry]) -> None:
    total, done = sum(entry.n_bytes for entry in entries), 0
    for entry in entries:
        files.makedirs(f"{folder}/{entry.path}".rsplit("/", 1)[0], exist_ok=True)
        files.put_file(str(entry.file), f"{folder}/{entry.path}")
        done += entry.n_bytes
        log.info("%s of %s MB: %s", f"{done / 1e6:,.1f}", f"{total / 1e6:,.1f}", entry.path)


@contextmanager
def _explaining(url: str) -> Iterator[None]:
    """Turn what a store's driver raises into NotPublished: each driver has errors of its own."""
    try:
        yield
    except NotPublished:
        raise
    except Exception as error:
        text = f"{url}: {type(error).__name__}: {error}; latest.json was not changed, the same command goes on from there"
        raise NotPublished(text) from error


def _filesystem(url: str) -> tuple[Any, str]:
    import fsspec

    if "@" in url.split("://", 1)[-1].split("/", 1)[0]:
        raise NotPublished("the target holds credentials; leave them to the environment")
    files, root = fsspec.core.url_to_fs(url)
    files.invalidate_cache()
    return files, root.rstrip("/")


def _listing(files: Any, folder: str) -> dict[str, dict[str, Any]]:
    """What fsspec knows of every file below a folder, by relative path."""
    prefix = f"{files._strip_protocol(folder)}/"
    return {name.removeprefix(prefix): info for name, info in files.find(folder, detail=True).items()}


def _same(files: Any, entry: Entry, info: dict[str, Any]) -> bool:
    """Whether the store holds this content: by its checksum where that is an MD5, otherwise by reading the object back."""
    if info["size"] != entry.n_bytes:
        return False
    tag = str(info.get("ETag", "")).strip('"')
    if tag and tag == (_multipart_md5(entry.file) if "-" in tag else _hex(hashlib.md5(usedforsecurity=False), entry.file)):
        return True
    sink = hashlib.sha256()
    with files.open(info["name"], "rb") as handle:
        for block in iter(lambda: handle.read(BLOCK), b""):
            sink.update(block)
    return sink.hexdigest() == entry.sha256


def _hex(sink: Any, file: Path) -> str:
    with file.open("rb") as handle:
        for block in iter(lambda: handle.read(BLOCK), b""):
            sink.update(block)
    return sink.hexdigest()


def _multipart_md5(file: Path) -> str:
    """S3's checksum of an object that was sent in parts: the MD5 of the parts' MD5s, and their number."""
    with file.open("rb") as handle:
        parts = [hashlib.md5(part, usedforsecurity=False).digest() for part in iter(lambda: handle.read(PART_BYTES), b"")]
    return f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"


def _latest(files: Any, root: str) -> str | None:
    """The version that readers are told to read, or None."""
    try:
        return json.loads(files.cat_file(f"{root}/latest.json"))["version"]
    except FileNotFoundError:
        return None


def _point(files: Any, root: str, release: Release) -> None:
    """Name the version in `latest.json`. A stored object appears whole; on a disk the rename does that."""
    (manifest,) = (entry for entry in release.entries if entry.path == "manifest.json")
    said = {"manifest": f"{release.version}/manifest.json", "manifest_sha256": manifest.sha256, "version": release.version}
    text = (json.dumps(said, indent=1, sort_keys=True) + "\n").encode()
    if "file" in _protocols(files):
        files.pipe_file(f"{root}/.latest.json", text)
        files.mv(f"{root}/.latest.json", f"{root}/latest.json")
    else:
        files.pipe_file(f"{root}/latest.json", text)


def _protocols(files: Any) -> Iterable[str]:
    return [files.protocol] if isinstance(files.protocol, str) else files.protocol
