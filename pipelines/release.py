"""A release: shards, trainer exports, documents and manifest, built beside its place and moved there in one rename.

Its version is a hash of what it says, so the same corpus is the same folder and a second run finds it ready. Licences fail
closed: a row whose licence the profile does not allow is counted as withheld and written nowhere, and so is a picture that an image gate
excludes, that a person has to clear and has not, or that no gate has seen. Phantoms are released alone.
Memory: the text of the samples (about 2 KB each), not the images.
"""

import hashlib
import json
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from pipelines.documents import DOCUMENTS, write_documents
from pipelines.exports import write_exports
from pipelines.lake import Lake
from pipelines.provenance import asked
from pipelines.shard import ShardJob, bucket_count, bucket_of, write_images, write_shard
from pipelines.tallies import tallies
from pipelines.workers import map_in_order
from prompts.ontology import load
from prompts.schemas import digest
from quality.image_gates import ACTIONS
from sources.licences import Profile, may_release

LAYOUT = "3"
"""Raise when the files of a release change for the same rows."""

WRITERS = ("pyarrow", "pillow", "datasets", "matplotlib")
"""Packages whose version can change the bytes of a release."""


@dataclass(frozen=True, slots=True)
class Release:
    """A finished release: where it is, its manifest, and whether it stood there already."""

    path: Path
    manifest: dict[str, Any]
    reused: bool


class ReleaseDamaged(Exception):
    """A file of an existing release does not match its manifest."""


def release(
    lake: Lake, sources: Sequence[str], root: Path, profile: Profile = "noncommercial", cleared: Collection[str] = ()
) -> Release | None:
    """Write (or find) the release of `sources` under `root`; None when no sample may be released.

    `cleared` are ids of images that a person has looked at: the gates that ask for that hold them back no longer.
    Raises ReleaseDamaged for an existing release that was changed, and ExportFault before anything is moved.
    """
    rows, head, version = _plan(lake, sources, profile, cleared)
    if not rows:
        return None
    final = root / version
    if (final / "manifest.json").exists():
        return Release(final, verified(final), reused=True)
    staging = root / f".{version}.partial"
    shutil.rmtree(staging, ignore_errors=True)
    manifest = _build(lake, staging, {"version": version, **head}, rows)
    os.replace(staging, final)
    return Release(final, manifest, reused=False)


def _plan(
    lake: Lake, sources: Sequence[str], profile: Profile, cleared: Collection[str]
) -> tuple[list[dict[str, Any]], dict[str, Any], str]:
    """Rows, manifest head and version of the release that the lake stands for now."""
    rows, withheld = releasable(lake, sources, profile, cleared)
    head = _head(lake, rows, withheld, sources, profile)
    return rows, head, f"{head['name']}-{digest([head, [_stamp(row) for row in rows]])[:12]}"


def latest(
    lake: Lake, sources: Sequence[str], root: Path, profile: Profile, cleared: Collection[str] = ()
) -> dict[str, Any] | None:
    """The manifest of the release that the lake stands for now, if it has been written."""
    path = root / _plan(lake, sources, profile, cleared)[2] / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def releasable(
    lake: Lake, sources: Sequence[str], profile: Profile, cleared: Collection[str] = ()
) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Samples that may be published, sorted by id, and how many images are withheld by which reason."""
    chosen = [name for name in sorted(sources) if name != "phantom"] or ["phantom"]
    ontology, allowed, withheld = load(), [], defaultdict(set)
    if "phantom" in sources and chosen != ["phantom"]:
        withheld["phantoms are never mixed with real images"] |= set(_ids(lake, "phantom"))
    for name in chosen:
        passed, held = _past_gates(lake, name, cleared)
        for why, ids in held.items():
            withheld[why] |= ids
        for row in lake.read("samples", source=name).to_pylist():
            if row["image_id"] not in passed:
                if not any(row["image_id"] in ids for ids in held.values()):
                    withheld["no image gate has seen it"].add(row["image_id"])
            elif may_release(row["licence_id"], profile):
                path = [ontology.nodes[node].name for node in ontology.path(row["node"])]
                allowed.append({**row, "diagnosis": path[-1], "taxon_path": path[:-1]})
            else:
                withheld[f"licence {row['licence_id']} is outside profile {profile}"].add(row["image_id"])
    return sorted(allowed, key=lambda row: row["sample_id"]), Counter({why: len(ids) for why, ids in sorted(withheld.items())})


def _past_gates(lake: Lake, source: str, cleared: Collection[str]) -> tuple[set[str], dict[str, set[str]]]:
    """Images of a source that its image gates let through, and by reason those that they hold back."""
    passed, held = set[str](), defaultdict[str, set[str]](set)
    for row in lake.read("image_quality", source=source, columns=["image_id", "gates"]).to_pylist():
        actions = {code: ACTIONS[code] for code in row["gates"]}
        reasons = [f"image gate {code} excludes" for code, action in actions.items() if action == "exclude"]
        if row["image_id"] not in cleared:
            reasons += [f"image gate {code}: to be reviewed" for code, action in actions.items() if action == "review"]
        for why in reasons:
            held[why].add(row["image_id"])
        if not reasons:
            passed.add(row["image_id"])
    return passed, dict(held)


def _ids(lake: Lake, source: str) -> list[str]:
    return lake.read("samples", source=source, columns=["image_id"]).column("image_id").to_pylist()


def _stamp(row: Mapping[str, Any]) -> list[Any]:
    keys = ("sample_id", "messages", "ground_truth", "split", "verified_by", "licence_id", "attribution", "image_sha256")
    return [row[key] for key in keys]


def _head(
    lake: Lake, rows: Iterable[dict[str, Any]], withheld: Mapping[str, int], sources: Sequence[str], profile: Profile
) -> dict[str, Any]:
    """What the manifest says before any file is written. Adds each row's image digest and size to the row."""
    images = {r["image_id"]: r for r in lake.read("images", columns=["image_id", "sha256", "n_bytes"]).to_pylist()}
    for row in rows:
        row["image_sha256"] = images[row["image_id"]]["sha256"]
        row["n_bytes"] = images[row["image_id"]]["n_bytes"]
    used = sorted({row["source"] for row in rows})
    inputs = {row["source"]: row for row in lake.read("sources").to_pylist()}
    return {
        "name": "phantom" if used == ["phantom"] else "corpus",
        "layout": LAYOUT,
        "profile": profile,
        "requested_sources": sorted(sources),
        "sources": {name: {key: inputs[name][key] for key in ("version", "input_digest")} for name in used},
        "licences": {name: sorted({row["licence_id"] for row in rows if row["source"] == name}) for name in used},
        "attributions": {name: _attributions(row["attribution"] for row in rows if row["source"] == name) for name in used},
        "withheld_images": dict(withheld),
        "teachers": sorted({f"{row['teacher']} {row['revision']} ({row['conditioning']})" for row in rows}),
        "asked": asked(lake, used),
        "corpus": tallies(lake, sorted(sources)),
        "ontology": load().digest,
        "written_with": {name: package_version(name) for name in WRITERS},
    }


def _attributions(texts: Iterable[str]) -> list[str]:
    """Whom a source's rows name; the rows carry every name, the manifest the twenty most frequent."""
    return [text for text, _ in sorted(Counter(texts).items(), key=lambda item: (-item[1], item[0]))[:20]]


def _build(lake: Lake, staging: Path, head: dict[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    staging.mkdir(parents=True)
    counts: dict[str, int] = {}
    for written in map_in_order(write_shard, shard_jobs(lake, staging, rows)):
        counts |= written
    for written in map_in_order(write_images, image_jobs(lake, staging, rows)):
        counts |= written
    counts |= write_exports(staging, rows)
    _write_wids(staging, counts)
    tallies = Counter((row["format"], row["split"]) for row in rows)
    samples = {f"{name}/{split}": count for (name, split), count in sorted(tallies.items())}
    images = Counter(split for _, split in {(row["image_id"], row["split"]) for row in rows})
    head |= {"samples": samples, "images": dict(sorted(images.items()))}
    files = [_file_entry(staging, path, counts) for path in _files(staging)]
    write_documents(lake, staging, head, rows, files)
    files += [_file_entry(staging, path, counts) for path in DOCUMENTS]
    manifest = {**head, "files": sorted(files, key=lambda entry: entry["path"])}
    _write_durably(staging / "manifest.json", json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return manifest


def shard_jobs(lake: Lake, root: Path, rows: Sequence[Mapping[str, Any]]) -> list[ShardJob]:
    """One job a format, split and bucket. Buckets follow the image, so that all formats of an image sit in one bucket number."""
    cells: dict[tuple[str, str, int, int], list[Mapping[str, Any]]] = defaultdict(list)
    sizes = Counter[tuple[str, str]]()
    for row in rows:
        sizes[row["format"], row["split"]] += row["n_bytes"]
    for row in rows:
        buckets = bucket_count(sizes[row["format"], row["split"]])
        cells[row["format"], row["split"], bucket_of(row["image_id"], buckets), buckets].append(row)
    return [
        ShardJob(lake, str(root), f"{name}/{split}-{bucket:05d}-of-{buckets:05d}", tuple(cell))
        for (name, split, bucket, buckets), cell in sorted(cells.items())
    ]


def image_jobs(lake: Lake, root: Path, rows: Sequence[Mapping[str, Any]]) -> list[ShardJob]:
    """Jobs that write the image tree, one for every 1/16 of the images."""
    cells: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in {row["image_id"]: row for row in rows}.values():
        cells[bucket_of(row["image_id"], 16)].append(row)
    return [ShardJob(lake, str(root), f"images-{bucket}", tuple(cell)) for bucket, cell in sorted(cells.items())]


def _write_wids(root: Path, counts: Mapping[str, int]) -> None:
    """The index that random-access WebDataset readers want, one a format and split folder."""
    tars = sorted(path for path in counts if path.endswith(".tar"))
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for tar in tars:
        data = (root / tar).read_bytes()
        split = Path(tar).name.split("-")[0]
        entry = {"url": Path(tar).name, "md5sum": hashlib.md5(data, usedforsecurity=False).hexdigest()}
        groups[f"{Path(tar).parent}/{split}-wids.json"].append({**entry, "nsamples": counts[tar], "filesize": len(data)})
    for path, shards in groups.items():
        index = {"__kind__": "wids-shard-index-v1", "wids_version": 1, "shardlist": shards}
        (root / path).write_text(json.dumps(index, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def _file_entry(root: Path, path: str, counts: Mapping[str, int]) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": path, "bytes": (root / path).stat().st_size, "sha256": _sha256(root / path)}
    return {**entry, "rows": counts[path]} if path in counts else entry


def _sha256(path: Path) -> str:
    sink = hashlib.sha256()
    with path.open("rb") as handle:
        for block in iter(partial(handle.read, 1 << 20), b""):
            sink.update(block)
    return sink.hexdigest()


def _write_durably(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


def written_licences(path: Path) -> set[str]:
    """Licences of the rows in a release, read back from the written files and not from the tables they came from.

    A row without one counts as "no licence", which no profile allows.
    """
    import pyarrow.parquet as pq

    files = [*path.glob("data/*/*.parquet")]
    written = {value for file in files for value in pq.read_table(file, columns=["licence"]).column("licence").to_pylist()}
    for file in path.glob("trainer/sft/*.json"):
        written |= {row["licence_id"] for row in json.loads(file.read_text(encoding="utf-8"))}
    return {value or "no licence" for value in written}


def verified(path: Path) -> dict[str, Any]:
    """The manifest of a release whose every file is as the manifest says. Raises ReleaseDamaged naming the first that is not."""
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    for entry in manifest["files"]:
        file = path / entry["path"]
        if not file.exists() or _sha256(file) != entry["sha256"]:
            raise ReleaseDamaged(f"{file} is missing or changed; delete {path} and run again")
    return manifest
