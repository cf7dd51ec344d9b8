"""What is kept beside releases, never in one: in which order they were made, and of every image whether it went out or why not.

`history/releases.txt` names the releases, one a line; `history/<version>.parquet` has a row an image. Differences between releases are told
from these (`pipelines.diff`); they hold no id of a source. Memory: about 500 bytes an image.
"""

import io
import json
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.outgoing import Outgoing
from pipelines.shard import image_key
from prompts.schemas import digest

FOLDER = "history"
SCHEMA = pa.schema([("image_key", pa.string()), ("source", pa.string()), ("reason", pa.string()), ("prompts", pa.string())])
"""`reason` is null for an image that went out; `prompts` is a digest of the versions that its text was asked with."""

WORDS = (("licence ", "licence"), ("image gate", "gate"), ("no image gate", "gate"), ("personal data", "privacy"))
"""First words of the reasons why an image is withheld, and the kind of reason that they are."""


def note(root: Path, version: str, found: Outgoing, sources: Sequence[str], released: Collection[str]) -> None:
    """Write down what became of every image of `sources` in a release, and that this release is now the latest.

    `released` are keys of its images. Nothing is done for what is the latest release already.
    """
    import pyarrow.parquet as pq

    folder = root / FOLDER
    if noted(root, version):
        return
    folder.mkdir(parents=True, exist_ok=True)
    rows = pa.Table.from_pylist(list(_fates(found, sources, released)), schema=SCHEMA).sort_by("image_key")
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    _replace(folder / f"{version}.parquet", sink.getvalue())
    _replace(folder / "releases.txt", "".join(f"{name}\n" for name in [*order(root, but=version), version]).encode())


def noted(root: Path, version: str) -> bool:
    """Whether a release is the latest that was noted, and what became of its images with it."""
    return order(root)[-1:] == [version] and (root / FOLDER / f"{version}.parquet").exists()


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def order(root: Path, but: str = "") -> list[str]:
    """Versions from the first to the latest, without one."""
    path = root / FOLDER / "releases.txt"
    names = path.read_text(encoding="utf-8").split() if path.exists() else []
    return [name for name in names if name != but]


def before(root: Path, version: str) -> Path | None:
    """The release before one, of the same name and profile, that is still there."""
    mine = _kind(root / version)
    found = [root / name for name in order(root, but=version) if (root / name / "manifest.json").exists()]
    return next((path for path in reversed(found) if _kind(path) == mine), None)


def _kind(path: Path) -> tuple[str, str]:
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    return manifest["name"], manifest["profile"]


def fates(release: Path) -> dict[str, dict[str, str | None]]:
    """What became of each image, by its key; empty where nothing was noted beside the release."""
    import pyarrow.parquet as pq

    path = release.parent / FOLDER / f"{release.name}.parquet"
    return {row["image_key"]: row for row in pq.read_table(path).to_pylist()} if path.exists() else {}


def _fates(found: Outgoing, sources: Sequence[str], released: Collection[str]) -> Iterable[dict[str, str | None]]:
    withheld: dict[str, list[str]] = defaultdict(list)
    for why, ids in sorted(found.held.items()):
        kind = next((kind for words, kind in WORDS if why.startswith(words)), "source")
        for image_id in ids:
            withheld[image_id].append(f"{kind}: {why}")
    for source in sorted(set(sources)):
        asked, left = _asked(found.lake, source), _left_out(found.lake, source)
        for image_id in found.lake.read("images", source=source, columns=["image_id"]).column("image_id").to_pylist():
            key, reason = image_key(image_id), None
            if key not in released:
                reason = "; ".join(withheld[image_id]) or left.get(image_id) or "teacher: nothing was accepted yet"
            yield {"image_key": key, "source": source, "reason": reason, "prompts": asked.get(image_id)}


def _asked(lake: Lake, source: str) -> dict[str, str]:
    rows = lake.read("trajectories", source=source, columns=["image_id", "prompts", "status"]).to_pylist()
    asked: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["status"] == "accepted":
            asked[row["image_id"]].add(row["prompts"])
    return {image_id: digest(sorted(prompts))[:16] for image_id, prompts in asked.items()}


def _left_out(lake: Lake, source: str) -> dict[str, str]:
    """Why images have no sample at all, the first reason in the order of the stages."""
    left: dict[str, str] = {}
    for row in lake.read("rejects", source=source, columns=["image_id", "check"]).to_pylist():
        left.setdefault(row["image_id"], f"check: {row['check']}")
    for row in lake.read("diagnoses", source=source, columns=["image_id", "node"]).to_pylist():
        if row["node"] is None:
            left[row["image_id"]] = "label: it has no place in the ontology"
    for row in lake.read("groups", columns=["image_id", "source", "status"]).to_pylist():
        if row["source"] == source and row["status"] == "redundant":
            left[row["image_id"]] = "duplicate: a copy of it stands for it"
        elif row["source"] == source and row["status"] == "conflicting label":
            left[row["image_id"]] = "label: those of its copies contradict it"
    return left
