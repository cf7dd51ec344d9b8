"""What a release really holds: every file read back, and everything in it that must not be there.

Nothing is taken from the tables that the release was made of. Files are read by workers, one at a time; what they tell of each image (its
licences, splits and checksums) meets in this process. Memory: about 400 bytes an image, and one row group or tar member a worker.
"""

import hashlib
import json
import re
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from pipelines.exports import ExportFault, checked
from pipelines.lake import Lake
from pipelines.shard import MOST_ROWS, features, schema
from pipelines.unchanged import made_of, note, recall
from pipelines.workers import map_in_order
from quality.privacy import in_text
from sources.licences import Profile, carries_images, may_release

CHECKS = {
    "licences": "no row, picture or field that the profile does not allow",
    "privacy": "no metadata in a picture, no source's id or file name, no personal data in a text",
    "leakage": "no picture in two splits, no phantom beside a real image",
    "viewer_limits": "row groups and page index as the Hub's viewer needs them",
    "loader_contracts": "every row is what its loader expects, and its picture is there",
    "files": "every file is as the manifest says, and none is there that it does not name",
}
"""Checks on a finished release, each of which stops it."""

ALONE_BYTES = 256 << 20
"""Size of a release that is read back in this process: starting workers takes longer than a few hundred megabytes."""

SCANNED_BYTES = 300_000_000
"""Bytes of a row group that the Hub's viewer scans at most (its documentation of Parquet files)."""

SHOWN = 20
"""Faults of a check that are told in words; the others are counted."""

TREE = re.compile(r"trainer/images/([0-9a-f]{2})/(\1[0-9a-f]{22})\.jpg")
PICTURE = re.compile(r"images/[0-9a-f]{2}/([0-9a-f]{24})\.jpg")
TEXTS = (".md", ".json", ".jsonl", ".html", ".py", ".txt", ".yaml", ".yml", ".csv", ".svg")
IMAGE_MAGIC = re.compile(
    rb"\xff\xd8\xff[\xc0-\xfe]|\x89PNG\r\n\x1a\n|data:image/|JFIF\x00|RIFF....WEBP|II\*\x00|MM\x00\*", re.DOTALL
)
LICENCE_FIELDS = frozenset({"licence", "licence_id"})
TEXT_FIELDS = frozenset({"why", "value", "content", "text", "prompt", "problem", "answer", "solution"})
PRIVATE_FIELDS = frozenset(
    {"native_id", "archive", "member", "patient_id", "lesion_id", "archive_id", "lineage", "history", "expert_caption", "pack"}
)
"""Columns of the lake that lead back to a file or a person: no release has them."""


@dataclass(slots=True)
class Findings:
    """What was read in some files: faults by check, rows, and of each image key its splits and the checksums of its pictures.

    `tree` are checksums in the image tree, `named` keys that trainer files name, `loose` checksums of byte strings in them.
    """

    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    rows: int = 0
    splits: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    sources: set[str] = field(default_factory=set)
    licences: set[str] = field(default_factory=set)
    pictures: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    tree: dict[str, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)

    def add(self, other: "Findings") -> None:
        """Take in what was found in other files."""
        for mine, theirs in ((self.splits, other.splits), (self.pictures, other.pictures)):
            for key, values in theirs.items():
                mine[key] |= values
        for check, faults in other.faults.items():
            self.faults[check] += faults
        self.rows += other.rows
        self.sources |= other.sources
        self.licences |= other.licences
        self.tree |= other.tree
        self.named |= other.named
        self.loose |= other.loose


@dataclass(frozen=True, slots=True)
class _File:
    root: str
    path: str
    profile: Profile
    sources: tuple[str, ...]

    @property
    def stage(self) -> str:
        """Files of one stage are read together by one worker: small ones many at a time."""
        return self.path[: len("trainer/images/0")] if self.path.startswith("trainer/images/") else self.path


def audited(lake: Lake, path: Path) -> dict[str, list[str]]:
    """As `audit`; what passed, and of which no file was added, taken away or written since, is not read back again."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    seen = [(str(file.relative_to(path)), (found := file.stat()).st_size, found.st_mtime_ns) for file in files]
    what, made = f"audit/{path.name}", made_of(lake, (), None, str(path.resolve()), seen)
    if recall(lake, what, made) is not None:
        return {check: [] for check in CHECKS}
    faults = audit(path)
    if not any(faults.values()):
        note(lake, what, made, {})
    return faults


def audit(path: Path) -> dict[str, list[str]]:
    """Faults of a release by check of `CHECKS`, all of them there, empty where nothing is wrong."""
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    profile, sources = manifest["profile"], tuple(sorted({*manifest["sources"], *manifest["requested_sources"]}))
    names = sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())
    files = [_File(str(path), name, profile, sources) for name in names if name != "manifest.json"]
    total, shards = Findings(), Findings()
    jobs = [tuple(group) for _, group in groupby(files, key=lambda file: file.stage)]
    small = sum((path / name).stat().st_size for name in names) < ALONE_BYTES
    for job, found in zip(jobs, map(read_back, jobs) if small else map_in_order(read_back, jobs), strict=True):
        total.add(found)
        if job[0].path.startswith("data/"):
            shards.add(found)
    faults = total.faults
    for check, found in _across(total, shards, profile, sum(manifest["samples"].values())):
        faults[check].append(found)
    faults["files"] += _unlike(path, manifest, names)
    return {check: faults.get(check, []) for check in CHECKS}


def _across(total: Findings, shards: Findings, profile: Profile, promised: int) -> Iterator[tuple[str, str]]:
    """Faults that only all files together show."""
    known, ids = set(shards.splits), sorted
    if shards.rows != promised:
        yield "files", f"{shards.rows:,} rows in the Parquet files, {promised:,} in the manifest"
    for key in ids(set(total.tree) - known):
        yield "licences", f"picture {key} belongs to no row of the shards"
    for key in ids((total.named | set(total.splits)) - known):
        yield "licences", f"image {key} is named, and no row of the shards has it"
    if carries_images(profile):
        for key in ids((total.named | set(total.pictures)) - set(total.tree)):
            yield "loader_contracts", f"image {key} is named, and its picture is not in the image tree"
    for digest in sorted(total.loose - set(total.tree.values())):
        yield "licences", f"a trainer file holds bytes (sha256 {digest}) that are no picture of the image tree"
    for key, sums in sorted(total.pictures.items()):
        if key in total.tree and sums != {total.tree[key]}:
            yield "licences", f"image {key} is another picture in a shard than in the image tree"
    for key in ids(key for key, splits in total.splits.items() if len(splits) > 1):
        yield "leakage", f"image {key} stands in {' and '.join(sorted(total.splits[key]))}"
    yield from (("leakage", fault) for fault in _twins(total))
    if "phantom" in total.sources and len(total.sources) > 1:
        yield "leakage", "phantoms are mixed with real images"


def _twins(total: Findings) -> Iterator[str]:
    by_sum: dict[str, list[str]] = defaultdict(list)
    for key, digest in sorted(total.tree.items()):
        by_sum[digest].append(key)
    for keys in by_sum.values():
        splits = set().union(*(total.splits.get(key, set()) for key in keys))
        if len(splits) > 1:
            yield f"images {', '.join(keys)} are one picture, in {' and '.join(sorted(splits))}"


def _unlike(path: Path, manifest: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    from pipelines.release import ReleaseDamaged, verified

    try:
        verified(path)
    except ReleaseDamaged as error:
        yield str(error)
    listed = {entry["path"] for entry in manifest["files"]}
    yield from (f"{name} is not in the manifest" for name in names if name not in listed | {"manifest.json"})


def read_back(files: Iterable[_File]) -> Findings:
    """What some files of a release hold. Runs in a worker."""
    found = Findings()
    for file in files:
        _read(found, file, Path(file.root) / file.path)
    return found


def _read(found: Findings, file: _File, path: Path) -> None:
    if not carries_images(file.profile) and (magic := IMAGE_MAGIC.search(path.read_bytes())):
        found.faults["licences"].append(f"{file.path}: image data ({magic.group()[:12]!r}) in a release without images")
    if tree := TREE.fullmatch(file.path):
        _picture(found, file.path, tree[2], path.read_bytes())
    elif file.path.startswith("data/") and file.path.endswith(".parquet"):
        _shard(found, file, path)
    elif file.path.startswith("webdataset/") and file.path.endswith(".tar"):
        _tar(found, file, path)
    elif not file.path.endswith((*TEXTS, ".parquet")):
        found.faults["files"].append(f"{file.path}: a kind of file that no release has")
    elif file.path.startswith("trainer/"):
        _trainer(found, file, path)
    elif file.path.endswith(TEXTS):
        _own_ids(found, file, file.path, path.read_text(encoding="utf-8", errors="replace"))


def _picture(found: Findings, name: str, key: str, data: bytes) -> None:
    from quality.raster import BadImage, strip_jpeg

    found.tree[key] = hashlib.sha256(data).hexdigest()
    try:
        clean = strip_jpeg(data) == data
    except BadImage as error:
        found.faults["loader_contracts"].append(f"{name}: {error}")
        return
    if not clean:
        found.faults["privacy"].append(
            f"{name}: holds more than the picture (EXIF, XMP, ICC profile, comment or trailing bytes)"
        )


def _shard(found: Findings, file: _File, path: Path) -> None:
    import pyarrow.parquet as pq

    shard = pq.ParquetFile(path)
    wanted = schema(carries_images(file.profile))
    if not shard.schema_arrow.equals(wanted):
        extra = sorted(set(shard.schema_arrow.names) ^ set(wanted.names)) or "types"
        found.faults["licences"].append(f"{file.path}: columns are not those of a release ({extra})")
    for n in range(shard.num_row_groups):
        group = shard.metadata.row_group(n)
        if group.num_rows > MOST_ROWS or group.total_byte_size > SCANNED_BYTES:
            fault = f"{file.path}: row group {n} has {group.num_rows:,} rows, {group.total_byte_size:,} bytes"
            found.faults["viewer_limits"].append(fault)
        if not group.column(0).has_column_index:
            found.faults["viewer_limits"].append(f"{file.path}: row group {n} has no page index")
        for row in shard.read_row_group(n).to_pylist():
            cells = row.pop("images", None) or []
            for cell in cells:
                found.pictures[row["image_id"]].add(hashlib.sha256(cell["bytes"]).hexdigest())
                if cell["path"] != f"{row['image_id']}.jpg":
                    found.faults["privacy"].append(f"{file.path}: row {row['id']} names its picture {cell['path']!r}")
            _row(found, file, row, len(cells) if carries_images(file.profile) else 1)


def _tar(found: Findings, file: _File, path: Path) -> None:
    wanted = set(features().keys()) - {"images"}
    pictures: dict[str, str] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            name, suffix = member.name.rsplit(".", 1)
            handle = tar.extractfile(member)
            data = handle.read() if handle else b""
            if suffix == "jpg":
                pictures[name] = hashlib.sha256(data).hexdigest()
                continue
            row = json.loads(data) if suffix == "json" else {}
            if set(row) != wanted or row["id"] != name:
                found.faults["licences"].append(f"{file.path}: {member.name} is not what a release says about a sample")
                continue
            beside = {pictures.pop(name)} if name in pictures else set[str]()
            found.pictures[row["image_id"]] |= beside
            _row(found, file, row, len(beside))
    for name in sorted(pictures):
        found.faults["licences"].append(f"{file.path}: {name}.jpg has no row")


def _row(found: Findings, file: _File, row: Mapping[str, Any], pictures: int) -> None:
    """What holds for a sample in a Parquet file and in a tar alike."""
    where = f"{file.path}: row {row['id']}"
    found.rows += 1
    found.splits[row["image_id"]].add(row["split"])
    found.sources.add(row["source"])
    found.licences.add(row["licence"] or "no licence")
    if not may_release(row["licence"], file.profile):
        found.faults["licences"].append(f"{where} is under {row['licence']}, which the profile {file.profile} does not allow")
    if not Path(file.path).name.startswith(f"{row['split']}-") or f"/{row['format']}/" not in f"/{file.path}":
        found.faults["leakage"].append(f"{where} is of {row['format']}, {row['split']}")
    parts = [part for turn in row["messages"] for part in turn["content"]]
    roles, marks = [turn["role"] for turn in row["messages"]], sum(part["type"] == "image" for part in parts)
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2) or not marks == pictures == 1:
        found.faults["loader_contracts"].append(f"{where} has roles {roles}, {marks} image parts and {pictures} pictures")
    for text in (part["text"] for part in parts if part["text"]):
        _text(found, file, where, text)


def _text(found: Findings, file: _File, where: str, text: str) -> None:
    if personal := in_text(text):
        found.faults["privacy"].append(f"{where} says {personal[0]!r}")
    _own_ids(found, file, where, text)


def _own_ids(found: Findings, file: _File, where: str, text: str) -> None:
    if own := re.search(rf"\b(?:{'|'.join(map(re.escape, file.sources))}):[^\s\"'/]", text):
        found.faults["privacy"].append(f"{where} holds a source's own id ({own.group()!r}…)")


def _trainer(found: Findings, file: _File, path: Path) -> None:
    """Trainer files: every image that they name has to be known, every licence allowed."""
    for value in _values(path):
        if isinstance(value, bytes):
            found.loose.add(hashlib.sha256(value).hexdigest())
        elif isinstance(value, Mapping):
            _trained(found, file, value)
        else:
            found.named |= set(PICTURE.findall(value))
            _own_ids(found, file, file.path, value)


def _trained(found: Findings, file: _File, row: Mapping[str, Any]) -> None:
    where = f"{file.path}: row {row.get('id', '?')}"
    for name in LICENCE_FIELDS & row.keys():
        found.licences.add(str(row[name]))
        if not may_release(str(row[name]), file.profile):
            found.faults["licences"].append(f"{where} is under {row[name]}, which the profile {file.profile} does not allow")
    for name in sorted(PRIVATE_FIELDS & row.keys()):
        found.faults["licences"].append(f"{where} has the field {name}")
    for name in TEXT_FIELDS & row.keys():
        if isinstance(row[name], str):
            _text(found, file, where, row[name])
    if "conversations" in row:
        try:
            checked(dict(row))
        except ExportFault as error:
            found.faults["loader_contracts"].append(f"{file.path}: {error}")


def _values(path: Path) -> Iterator[Any]:
    """Every mapping, text and byte string in a JSON, JSON lines or Parquet file; the whole text of any other."""
    import pyarrow.parquet as pq

    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        for n in range(file.num_row_groups):
            yield from _inside(file.read_row_group(n).to_pylist())
    elif path.suffix == ".json":
        yield from _inside(json.loads(path.read_text(encoding="utf-8")))
    elif path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield from _inside(json.loads(line))
    else:
        yield path.read_text(encoding="utf-8")


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield value
        for one in value.values():
            yield from _inside(one)
    elif isinstance(value, list):
        for one in value:
            yield from _inside(one)
    elif isinstance(value, str | bytes):
        yield value


def in_words(faults: Iterable[str]) -> list[str]:
    """The first `SHOWN` faults, and how many more there are."""
    faults = list(faults)
    return faults[:SHOWN] + ([f"and {len(faults) - SHOWN:,} more"] if len(faults) > SHOWN else [])
