"""The numbers of a corpus as they stand in the lake and the release folder: what `make corpus` prints at its end."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pipelines.lake import Lake
from pipelines.release import latest
from pipelines.tallies import gates, pairs, quarantined, statuses, tally
from quality.image_gates import ACTIONS
from sources.licences import Profile


def summarise(
    lake: Lake, sources: list[str], releases: Path, profile: Profile, cleared: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """Counts by stage for the sources given, in the order of the pipeline; every value is read back, none is remembered."""
    return {
        "images in": {name: lake.read("images", source=name, columns=["image_id"]).num_rows for name in sources},
        "quarantined": quarantined(lake, sources, repaired=False) or {"none": 0},
        "repaired": quarantined(lake, sources, repaired=True) or {"none": 0},
        "image gates": _gates(lake, sources),
        "embeddings": _embeddings(lake, sources),
        "duplicates": dict(sorted(pairs(lake, sources).items())) or {"none": 0},
        "groups": statuses(lake, sources),
        "trajectories": tally(lake, "trajectories", "status", sources),
        "samples": _samples(lake, sources),
        "release": _release(lake, sources, releases, profile, cleared),
        "paths": {"lake": lake.url, "releases": str(releases)},
    }


def _gates(lake: Lake, sources: list[str]) -> dict[str, int]:
    return {f"{code} ({ACTIONS[code]})": count for code, count in gates(lake, sources).items()} or {"none": 0}


def _embeddings(lake: Lake, sources: list[str]) -> dict[str, int]:
    rows = tally(lake, "embeddings", "why_not", sources)
    return {("computed" if why == "None" else f"none: {why}"): count for why, count in rows.items()}


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
