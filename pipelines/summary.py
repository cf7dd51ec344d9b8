"""The numbers of a corpus as they stand in the lake and the release folder: what `make corpus` prints at its end."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from pipelines.lake import Lake
from pipelines.release import latest
from quality.image_gates import ACTIONS
from sources.licences import Profile


def summarise(
    lake: Lake, sources: list[str], releases: Path, profile: Profile, cleared: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """Counts by stage for the sources given, in the order of the pipeline; every value is read back, none is remembered."""
    return {
        "images in": {name: lake.read("images", source=name, columns=["image_id"]).num_rows for name in sources},
        "quarantined": _quarantined(lake, sources, repaired=False),
        "repaired": _quarantined(lake, sources, repaired=True),
        "image gates": _gates(lake, sources),
        "embeddings": _embeddings(lake, sources),
        "duplicates": _duplicates(lake, sources),
        "groups": _groups(lake, sources),
        "trajectories": _tally(lake, "trajectories", "status", sources),
        "samples": _samples(lake, sources),
        "release": _release(lake, sources, releases, profile, cleared),
        "paths": {"lake": lake.url, "releases": str(releases)},
    }


def _tally(lake: Lake, table: str, column: str, sources: list[str]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for name in sources:
        counts.update(lake.read(table, source=name, columns=[column]).column(column).to_pylist())
    return dict(counts.most_common())


def _quarantined(lake: Lake, sources: list[str], *, repaired: bool) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for name in sources:
        rows = lake.read("quarantine", source=name, columns=["reason", "repaired"])
        counts.update(rows.filter(pc.equal(rows.column("repaired"), repaired)).column("reason").to_pylist())
    return dict(counts.most_common()) or {"none": 0}


def _gates(lake: Lake, sources: list[str]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for name in sources:
        for gates in lake.read("image_quality", source=name, columns=["gates"]).column("gates").to_pylist():
            counts.update(f"{code} ({ACTIONS[code]})" for code in gates)
    return dict(counts.most_common()) or {"none": 0}


def _embeddings(lake: Lake, sources: list[str]) -> dict[str, int]:
    rows = _tally(lake, "embeddings", "why_not", sources)
    return {("computed" if why is None else f"none: {why}"): count for why, count in rows.items()}


def _duplicates(lake: Lake, sources: list[str]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for row in lake.read("duplicate_pairs").to_pylist():
        if {row["a"].split(":")[0], row["b"].split(":")[0]} <= set(sources):
            counts[f"{row['kind']}, {row['verdict'] or 'one key'}"] += 1
    return dict(sorted(counts.items())) or {"none": 0}


def _groups(lake: Lake, sources: list[str]) -> dict[str, int]:
    rows = [row for row in lake.read("groups").to_pylist() if row["source"] in sources]
    counts = Counter(f"images {row['status']}" for row in rows) + Counter(f"split {row['split']}" for row in rows)
    return {"groups": len({row["group_id"] for row in rows}), **dict(sorted(counts.items()))}


def _samples(lake: Lake, sources: list[str]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for name in sources:
        rows = lake.read("samples", source=name, columns=["format", "split"]).to_pydict()
        counts.update(f"{f} / {s}" for f, s in zip(rows["format"], rows["split"], strict=True))
    return dict(sorted(counts.items())) or {"none": 0}


def _release(lake: Lake, sources: list[str], releases: Path, profile: Profile, cleared: Collection[str]) -> dict[str, Any]:
    found = latest(lake, sources, releases, profile, cleared)
    if found is None:
        return {"nothing to release": 0}
    files = found["files"]
    return {
        "version": found["version"],
        "parquet shards": sum(entry["path"].startswith("data/") for entry in files),
        "webdataset shards": sum(entry["path"].endswith(".tar") for entry in files),
        "files": len(files),
        "MB": round(sum(entry["bytes"] for entry in files) / 1e6, 1),
        **{f"images withheld ({why})": count for why, count in found["withheld_images"].items()},
    }
