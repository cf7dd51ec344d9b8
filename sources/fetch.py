"""Published files, found or fetched: the mirror first, then the cache, then the file's own address.

`DERMOFORGE_MIRROR` names a folder or fsspec URL laid out `<source>/<published file name>`; files there are used in place. What is
fetched goes to `<cache>/<source>/`. Memory: one block a file.
"""

import json
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, cast

import fsspec

from sources import first_try
from sources.archives import FORMATS
from sources.digests import FILES_AT_ONCE, FolderDigest, of_file
from sources.download import BLOCK, ChecksumMismatch, GivenUp, Gone, download, fetch_small, host_of
from sources.entry import Source, SourceFile
from sources.files import Link
from sources.licences import LICENCES
from sources.record import Reject

LINKS_AT_ONCE = 16
"""Downloads of single images in flight; `sources.download.PER_HOST` limits a host."""

SILENT_AFTER = 3
"""Addresses in a row that a host fails on, retries and all, before the rest of its addresses is left for another day."""

IMAGES = "images"
"""The folder of a linked set's images, in a mirror as in the cache."""

log = logging.getLogger("dermoforge.fetch")


class SourceUnavailable(Exception):
    """Files that cannot be had automatically; the message says which, from where, where to put them, and under what licence."""


@dataclass(frozen=True, slots=True)
class Located:
    """A published file at a location that fsspec opens, with its role, size in bytes and sha256 (hex); for a folder, of all in it.

    The digest of an archive that is compared with nothing is taken while others work on: who asks for it waits. That of a folder is
    taken when it is asked for.
    """

    name: str
    location: str
    size: int
    digest: str | Future[str] | FolderDigest = field(compare=False)
    role: str = "images"

    @property
    def sha256(self) -> str:
        """The digest; raises OSError for a file that could not be read to its end."""
        return self.digest if isinstance(self.digest, str) else self.digest.result()


def locate(source: Source, *, mirror: str | None, cache: str) -> list[Located]:
    """Every file of a source, in the catalogue's order. Optional files that are nowhere are left out.

    Raises SourceUnavailable for required files that are nowhere and have no address or whose address fails, ChecksumMismatch for
    damaged ones. `options["location"]` of a generic set comes before mirror and cache.
    """
    roots = _roots(source, mirror, cache)
    standing = {file.name: _standing(file, roots) for file in source.files}
    # A mirror says what there is: what is optional and not in it is left out without asking the network.
    mirrored = bool(mirror) and any(_standing(file, _roots(source, mirror, "")) for file in source.files)
    wanted = [f for f in source.files if not standing[f.name] and f.url and (f.required or not mirrored)]
    absent = [file.name for file in source.files if not standing[file.name] and not file.url and file.required]
    if absent:
        raise SourceUnavailable(_instructions(source, absent, mirror, cache))
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        for file, target in zip(wanted, pool.map(lambda f: _fetched(source, f, cache), wanted), strict=True):
            standing[file.name] = [target]
    return _located(source, [(file, place) for file in source.files for place in standing[file.name]])


def _roots(source: Source, mirror: str | None, cache: str) -> list[str]:
    own = source.options.get("location")
    return [str(own)] if own else [f"{root.rstrip('/')}/{source.name}" for root in (mirror, cache) if root]


def _standing(file: SourceFile, roots: Sequence[str]) -> list[str]:
    """Where a file stands (several for a pattern), under the first root that has it, as an archive or unpacked."""
    for root in roots:
        for name in (file.name, *_unpacked(file)):
            location = f"{root.rstrip('/')}/{name}".rstrip("/")
            fs, path = fsspec.url_to_fs(location)
            if "*" in name:
                found = sorted(fs.unstrip_protocol(p) if "://" in location else str(p) for p in fs.glob(path))
            else:
                found = [location] if fs.exists(path) else []
            if found:
                return [place if "://" in place else os.path.abspath(place) for place in found]
    return []


def _unpacked(file: SourceFile) -> list[str]:
    suffix = next((end for end in FORMATS if file.name.casefold().endswith(end)), None)
    return [file.name[: -len(suffix)]] if suffix and file.role != "table" else []


def _fetched(source: Source, file: SourceFile, cache: str) -> str:
    assert file.url
    target = os.path.join(os.path.abspath(cache), source.name, file.name)
    try:
        download(file.url, target, label=f"{source.name}/{file.name}", sha256=file.sha256)
    except (Gone, GivenUp) as error:
        raise SourceUnavailable(f"{error}. {_instructions(source, [file.name], None, cache)}") from error
    return target


def _located(source: Source, places: Iterable[tuple[SourceFile, str]]) -> list[Located]:
    pool = ThreadPoolExecutor(FILES_AT_ONCE)
    try:
        return [_checked(source, file, location, pool) for file, location in places]
    finally:
        pool.shutdown(wait=False)  # digests that nobody waits for yet go on


def _checked(source: Source, file: SourceFile, location: str, pool: ThreadPoolExecutor) -> Located:
    fs, path = fsspec.url_to_fs(location)
    name = file.name if "*" not in file.name else location.rsplit("/", 1)[-1]
    if fs.isdir(path):
        folder = FolderDigest(location)
        return Located(name, location, folder.size(), folder, file.role)
    begun = pool.submit(of_file, fs, path)
    if file.sha256 and begun.result() != file.sha256:
        raise ChecksumMismatch(
            f"{source.name}/{file.name} at {location}: expected sha256 {file.sha256}, found {begun.result()}"
        )
    return Located(name, location, int(fs.size(path) or 0), begun, file.role)


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
    terms = f"{licence.name}: permits {licence.permits()}" if licence else source.licence_id
    asks = {
        "open": "open to anyone",
        "registration": "after registration",
        "agreement": "after signing an agreement, which this program cannot do for you",
    }
    return (
        f"{source.name}: {', '.join(absent)} cannot be fetched automatically. Get them from {source.url} "
        f"({asks.get(source.access, source.access)}; {terms}) and put them into {place} "
        "or name a folder that holds them with DERMOFORGE_MIRROR."
    )


@dataclass(frozen=True, slots=True)
class Collected:
    """A linked set's images: the folder they are in, and a reject for each address that gives none."""

    folder: Located
    dead: tuple[Reject, ...]


def fetch_link(link: Link, target: str) -> None:
    """Fetch one image by its address. Raises Gone, GivenUp."""
    fetch_small(link.url, target, label=link.name)


def collect(
    source: Source,
    links: Iterable[Link],
    *,
    mirror: str | None,
    cache: str,
    fetch_one: Callable[[Link, str], None] = fetch_link,
) -> Collected:
    """Every linked image that can be had. A mirror's `images` (folder or archive) is used as it is, without asking anyone.

    `fetch_one` is for those that do not come at the first try; only `fetch_link` takes its word for it that a link is gone.
    Addresses that are gone for good are remembered in `<cache>/<source>/dead.json` and not asked again; delete the file to ask.
    """
    images = SourceFile(name=f"{IMAGES}.zip", role="images")
    mirrored = _standing(images, _roots(source, mirror, ""))
    if mirrored:
        return Collected(_located(source, [(images, mirrored[0])])[0], ())
    home = os.path.join(os.path.abspath(cache), source.name)
    folder = os.path.join(home, IMAGES)
    os.makedirs(folder, exist_ok=True)
    named = {link.name: link for link in reversed(list(links))}  # of two addresses for one name the first is used
    unsafe = [_unsafe(source, link) for link in named.values() if not _plain(link.name)]
    links = [link for name, link in reversed(named.items()) if _plain(name)]
    dead = _read_dead(home)
    missing = [link for link in links if link.url not in dead and not os.path.exists(os.path.join(folder, link.name))]
    failed = _collect_missing(source, missing, folder, dead, home, fetch_one)
    rejects = [*unsafe, *(_dead(source, link, dead.get(link.url) or failed.get(link.url)) for link in links)]
    located = _located(source, [(SourceFile(name=IMAGES, role="images"), folder)])[0]
    return Collected(located, tuple(reject for reject in rejects if reject))


def _plain(name: str) -> bool:
    """Whether a name from a table or an API stays inside the folder that it is joined to."""
    return name == os.path.basename(name) and name not in ("", ".", "..") and "\0" not in name and "\\" not in name


def _unsafe(source: Source, link: Link) -> Reject:
    detail = f"{link.name!r}: an image's id must be a plain file name"
    return Reject(source=source.name, native_id=link.name, reason="member_unsafe", detail=detail, archive=IMAGES)


def _collect_missing(
    source: Source,
    missing: list[Link],
    folder: str,
    dead: dict[str, str],
    home: str,
    fetch_one: Callable[[Link, str], None],
) -> dict[str, str]:
    """Fetch what is missing, hosts in turn; returns why addresses failed that may work another day, adds the others to `dead`."""
    from tqdm import tqdm

    failed: dict[str, str] = {}
    in_a_row: defaultdict[str, int] = defaultdict(int)

    def one(link: Link) -> tuple[Link, str | None, bool]:
        host = host_of(link.url)
        if in_a_row[host] >= SILENT_AFTER:
            return link, f"not asked: {host} failed on {SILENT_AFTER} addresses in a row", False
        try:
            fetch_one(link, os.path.join(folder, link.name))
        except Gone as error:
            in_a_row[host] = 0
            return link, str(error), True
        except (GivenUp, OSError) as error:
            in_a_row[host] += 1
            return link, str(error), False
        in_a_row[host] = 0
        return link, None, False

    def settled(link: Link, why: str | None) -> None:
        bar.update()
        if why:
            dead[link.url] = why
            if len(dead) % 100 == 0:
                _write_dead(home, dead)

    def tried(link: Link, why: str | None) -> bool:
        final = not why or fetch_one is fetch_link
        if final:
            settled(link, why)
        return final

    with (
        ThreadPoolExecutor(LINKS_AT_ONCE) as pool,
        tqdm(total=len(missing), desc=f"{source.name} images", disable=not missing, mininterval=2.0) as bar,
    ):
        left = first_try.fetch(missing, folder, tried)
        for link, why, for_good in pool.map(one, _hosts_in_turn(left)):
            if for_good or not why:
                settled(link, why)
            else:
                bar.update()
                failed[link.url] = why
    _write_dead(home, dead)
    return failed


def _hosts_in_turn(links: Iterable[Link]) -> list[Link]:
    """The same links, interleaved by host, so that one slow host does not hold every connection."""
    by_host: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_host[host_of(link.url)].append(link)
    ranked = [(place, host, link) for host, group in sorted(by_host.items()) for place, link in enumerate(group)]
    return [link for _, _, link in sorted(ranked, key=lambda item: item[:2])]


def _read_dead(home: str) -> dict[str, str]:
    try:
        with open(os.path.join(home, "dead.json")) as handle:
            return dict(json.load(handle))
    except (OSError, ValueError):
        return {}


def _write_dead(home: str, dead: dict[str, str]) -> None:
    if not dead:
        return
    path = os.path.join(home, "dead.json")
    with open(f"{path}.new", "w") as out:
        json.dump(dict(sorted(dead.items())), out, indent=1)
    os.replace(f"{path}.new", path)


def _dead(source: Source, link: Link, why: str | None) -> Reject | None:
    if why is None:
        return None
    native_id = link.name.rsplit(".", 1)[0]
    return Reject(source=source.name, native_id=native_id, reason="link_dead", detail=f"{link.name}: {why}", archive=IMAGES)
