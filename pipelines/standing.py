"""What may go wrong after a stage has ended: a table, a pack or a release that no longer is what was written, a licence that changed.

Nothing is computed, decoded or asked. Memory: the keys of one table, or the pack names of the images.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.lake import Lake
from pipelines.tables import TABLES
from sources.catalogue import effective_licence
from sources.catalogue import source as entry_of
from sources.licences import may_release, strictest


def unsound(lake: Lake, table: str) -> list[str]:
    """Faults of a table as it lies in the lake now: columns of another version, files that are gone, keys missing or repeated."""
    key = list(TABLES[table].key)
    try:
        rows = lake.read(table, columns=key)
    except Exception as error:  # whatever the store or the file format says is the finding
        return [f"{type(error).__name__}: {error}"]
    nulls = sum(rows.column(name).null_count for name in key)
    repeated = rows.num_rows - rows.group_by(key).aggregate([]).num_rows if rows.num_rows else 0
    found = {f"{nulls:,} keys are null": nulls, f"{repeated:,} rows repeat a key": repeated}
    return [line for line, count in found.items() if count]


def missing_packs(lake: Lake) -> list[str]:
    """Packs that rows of `images` refer to and that are not in the lake, in order."""
    fs, root = lake.filesystem()
    wanted = set(lake.read("images", columns=["pack"]).column("pack").to_pylist())
    there = {str(path).removeprefix(root).lstrip("/") for path in fs.glob(f"{root}/packs/*/*")}
    return sorted(wanted - there)


def newest(root: Path) -> Path | None:
    """The release that was finished last, by the time of its manifest."""
    found = sorted(root.glob("[!.]*/manifest.json"), key=lambda path: (path.stat().st_mtime_ns, path.parent.name))
    return found[-1].parent if found else None


def no_longer_permitted(manifest: Mapping[str, Any]) -> list[str]:
    """Sources whose licence, as the catalogue has it today, would keep them out of a release that holds them."""
    faults = []
    for name, licences in sorted(manifest["licences"].items()):
        try:
            entry = entry_of(name)
        except ValueError as error:
            faults.append(f"{name}: {error}")
            continue
        claims = [licence for _, licence in entry.licence_claims] if entry.query else [effective_licence(entry)]
        today = strictest([*licences, *claims])
        if not may_release(today, manifest["profile"]):
            faults.append(f"{name}: released under {', '.join(licences)}; the catalogue says {today} today")
    return faults
