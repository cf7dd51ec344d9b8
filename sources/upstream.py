"""Whether what was fetched is still what is published: asked of the publisher without fetching anything."""

import csv
import os

from sources import isic_api
from sources.download import GivenUp, Gone, facts_of
from sources.entry import Source


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
