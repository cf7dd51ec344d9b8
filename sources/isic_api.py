"""The ISIC Archive by its API: metadata page by page into one table, images by address. Stops and goes on at any page.

`GET images/search/?collections=…&query=…&limit=…` answers `{count, next, previous, results}`, a result being `{isic_id,
copyright_license, attribution, files: {full: {url, size}}, metadata: {acquisition: {…}, clinical: {…}}}` (API version 2, as read by
public clients; addresses of files are signed and expire, so they are asked for again when they do).
"""

import csv
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from sources.download import ATTEMPTS, Gone, fetch_small, get_json
from sources.entry import ArchiveQuery
from sources.files import Link

PAGE = 100
"""Images a page: the largest number that the API's own client asks for."""

TABLE = "metadata.csv"
FIRST = ("isic_id", "attribution", "copyright_license", "url")


class QueryFailed(Exception):
    """A query that the archive does not understand: no such collection, or several; the message lists what there is."""


def snapshot(query: ArchiveQuery, folder: str) -> str:
    """The path of `metadata.csv` for a query, fetched into `folder` unless it is there; goes on after the last whole page.

    Raises QueryFailed, Gone, GivenUp. The file is a snapshot: delete the folder to ask the archive again.
    """
    target = os.path.join(folder, TABLE)
    if os.path.exists(target):
        return target
    pages = os.path.join(folder, "pages")
    os.makedirs(pages, exist_ok=True)
    for _ in _pages(query, pages):
        pass
    _write_table(pages, target)
    return target


def links(table: str) -> Iterator[Link]:
    """The images of a snapshot."""
    with open(table, newline="", encoding="utf-8") as handle:
        yield from (Link(f"{row['isic_id']}.jpg", row["url"]) for row in csv.DictReader(handle) if row.get("url"))


def count(query: ArchiveQuery, *, attempts: int = ATTEMPTS) -> int:
    """How many images the archive holds now for a query. Raises QueryFailed, Gone, GivenUp."""
    params = {**_params(query, attempts), "limit": 1}
    return int(get_json(f"{query.api}/images/search/", params, label="ISIC Archive", attempts=attempts)["count"])


def _pages(query: ArchiveQuery, folder: str) -> Iterator[Mapping[str, Any]]:
    number, page = _last_page(folder)
    address: str | None = page["next"] if page else f"{query.api}/images/search/"
    params = None if page else {**_params(query), "limit": PAGE}
    while address:
        page = get_json(address, params, label=f"ISIC Archive page {number + 1}")
        if not isinstance(page, dict) or not isinstance(page.get("results"), list):
            raise QueryFailed(f"{address}: the answer is no page of images")
        number, params = number + 1, None
        path = os.path.join(folder, f"{number:06d}.json")
        with open(f"{path}.new", "w") as out:
            json.dump(page, out)
        os.replace(f"{path}.new", path)
        yield page
        address = page.get("next")


def _last_page(folder: str) -> tuple[int, dict[str, Any] | None]:
    names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    if not names:
        return 0, None
    with open(os.path.join(folder, names[-1])) as handle:
        return int(names[-1].removesuffix(".json")), json.load(handle)


def _params(query: ArchiveQuery, attempts: int = ATTEMPTS) -> dict[str, str]:
    params = {"query": query.search} if query.search else {}
    ids = [_collection(name, query.api, attempts) for name in query.collections]
    return params | ({"collections": ",".join(ids)} if ids else {})


def _collection(name: str, api: str, attempts: int) -> str:
    """The id of the public collection of that name or number."""
    if name.isdigit():
        return name
    found: dict[str, str] = {}
    address: str | None = f"{api}/collections/"
    while address:
        page = get_json(address, label="ISIC Archive collections", attempts=attempts)
        for item in page["results"]:
            if name.casefold() in str(item["name"]).casefold():
                found[str(item["id"])] = str(item["name"])
        address = page.get("next")
    if len(found) != 1:
        known = "; ".join(f"{i}: {title}" for i, title in sorted(found.items())) or "none"
        raise QueryFailed(f"collections with {name!r} in their name: {known}. Name one by its number.")
    return next(iter(found))


def _write_table(folder: str, target: str) -> None:
    """All pages as one table: a row an image, sorted by id, each id once."""
    rows: dict[str, dict[str, str]] = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name)) as handle:
            for result in json.load(handle)["results"]:
                rows.setdefault(str(result["isic_id"]), _row(result))
    columns = sorted({column for row in rows.values() for column in row} - set(FIRST))
    with open(f"{target}.new", "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, [*FIRST, *columns], restval="")
        writer.writeheader()
        writer.writerows(rows[isic_id] for isic_id in sorted(rows))
    os.replace(f"{target}.new", target)


def _row(result: Mapping[str, Any]) -> dict[str, str]:
    parts = result.get("metadata") or {}
    row = {key: value for part in parts.values() if isinstance(part, dict) for key, value in part.items()}
    files = result.get("files") or {}
    full = (files.get("full") or {}).get("url") or (result.get("urls") or {}).get("full") or ""
    own = {key: result.get(key) or "" for key in ("isic_id", "attribution", "copyright_license")}
    return {key: "" if value is None else str(value) for key, value in {**row, **own, "url": full}.items()}


def fetch_image(query: ArchiveQuery, link: Link, target: str) -> None:
    """Fetch one image; when its address is refused, ask the archive for a fresh one once. Raises Gone, GivenUp."""
    try:
        fetch_small(link.url, target, label=link.name)
    except Gone:
        isic_id = link.name.rsplit(".", 1)[0]
        fresh = _row(get_json(f"{query.api}/images/{isic_id}/", label=isic_id))["url"]
        if not fresh or fresh == link.url:
            raise
        fetch_small(fresh, target, label=link.name)
