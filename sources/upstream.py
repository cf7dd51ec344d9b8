"""Whether what was fetched is still what is published: asked of the publisher without fetching anything."""

import csv
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import fsspec

from sources import isic_api
from sources.download import GivenUp, Gone, facts_of, get_json
from sources.entry import Source, SourceFile


@dataclass(frozen=True, slots=True)
class Registry:
    """Who keeps records of sets, the address of one, and the fields that say its version, as the registry's API pages document them."""

    keeper: str
    address: str
    fields: tuple[str, ...]


REGISTRIES: dict[str, Registry] = {
    r"zenodo\.org/records?/(\d+)|10\.5281/zenodo\.(\d+)": Registry(
        "Zenodo", "https://zenodo.org/api/records/{}/versions/latest", ("id", "revision")
    ),
    r"10\.7910/(DVN/\w+)": Registry(
        "Dataverse",
        "https://dataverse.harvard.edu/api/datasets/:persistentId/versions/:latest-published?persistentId=doi:10.7910/{}",
        ("data.versionNumber", "data.versionMinorNumber"),
    ),
    r"10\.6084/m9\.figshare\.(\d+)": Registry(
        "figshare", "https://api.figshare.com/v2/articles/{}", ("version", "modified_date")
    ),
    r"(?:huggingface\.co|hf:/)/datasets/([\w.-]+/[\w.-]+)": Registry("Hub", "https://huggingface.co/api/datasets/{}", ("sha",)),
}
"""By the form of a set's page or location; the part in brackets names the record."""


class NoVersion(Exception):
    """A record without the fields that say its version."""


def published(entry: Source, registries: Mapping[str, Registry] = REGISTRIES) -> dict[str, str | Exception]:
    """What tells the published set of today from another one, by what was asked: each file with an address, the record, the archive.

    Of a file its ETag or date, and its size; nothing is fetched. What could not be asked holds the error. Empty where there is nothing to
    ask. Every question is asked once, without trying again.
    """
    found: dict[str, str | Exception] = {}
    for file in entry.files:
        if address := _address(entry, file):
            found[file.name] = _said(lambda url=address: _of_file(url))
    for pattern, registry in registries.items():
        if record := re.search(pattern, f"{entry.url} {entry.options.get('location', '')}"):
            address = registry.address.format(quote(next(filter(None, record.groups())), "/"))
            found[f"record at {registry.keeper}"] = _said(lambda a=address, r=registry: _of_record(a, r.fields))
    if query := entry.query:
        found["images in the archive"] = _said(lambda: f"{isic_api.count(query, attempts=1):,}")
    return {name: said for name, said in found.items() if said != ""}


def _address(entry: Source, file: SourceFile) -> str:
    """Where a file is published; of a set of one's own, below its location, unless a registry is asked about that."""
    location = str(entry.options.get("location", "")).rstrip("/")
    remote = "://" in location and not location.startswith("hf://") and "*" not in file.name
    return file.url or (f"{location}/{file.name}" if remote else "")


def _said(ask: Any) -> str | Exception:
    try:
        return ask()
    except (Gone, GivenUp, NoVersion, isic_api.QueryFailed, OSError) as error:
        return error


def _of_file(url: str) -> str:
    """Empty where the server says nothing that could change."""
    if not url.startswith(("http://", "https://")):
        fs, path = fsspec.url_to_fs(url)
        info = fs.info(path)
        facts = {"size": info.get("size"), "validator": info.get("ETag") or info.get("LastModified") or info.get("mtime")}
    else:
        facts = facts_of(url)
    size = "" if facts["size"] is None else f"{facts['size']:,} bytes"
    return ", ".join(filter(None, (size, str(facts["validator"] or ""))))


def _of_record(address: str, fields: tuple[str, ...]) -> str:
    document = get_json(address, label=address, attempts=1)
    said = [f"{name.rpartition('.')[2]} {value}" for name in fields if (value := _field(document, name)) is not None]
    if not said:
        raise NoVersion(f"{address}: the record has no {' or '.join(fields)}")
    return ", ".join(said)


def _field(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def changes(entry: Source, cache: str) -> list[str]:
    """What differs now from the files in the cache: sizes of files with an address, the count of an archive query.

    An address that does not answer is a line too. Nothing to compare (no address, nothing fetched) gives no line.
    """
    home = os.path.join(cache, entry.name)
    lines = []
    for file in entry.files:
        here = os.path.join(home, file.name)
        if not file.url or not os.path.exists(here):
            continue
        try:
            now = facts_of(file.url)["size"]
        except (Gone, GivenUp) as error:
            lines.append(f"{entry.name}/{file.name}: {error}")
            continue
        if now is not None and now != os.path.getsize(here):
            lines.append(f"{entry.name}/{file.name}: {os.path.getsize(here):,} bytes here, {now:,} published")
    snapshot = os.path.join(home, isic_api.TABLE)
    if entry.query and os.path.exists(snapshot):
        lines += _count(entry, snapshot)
    return lines


def _count(entry: Source, snapshot: str) -> list[str]:
    assert entry.query
    with open(snapshot, newline="", encoding="utf-8") as handle:
        here = sum(1 for _ in csv.DictReader(handle))
    try:
        now = isic_api.count(entry.query)
    except (Gone, GivenUp, isic_api.QueryFailed) as error:
        return [f"{entry.name}: {error}"]
    return [f"{entry.name}: {here:,} images in the snapshot, {now:,} in the archive"] if now != here else []
