"""What a release folder holds, whether it may be published at all, and how it differs from what a target holds."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.audit import audit, in_words
from pipelines.release import ReleaseDamaged, verified

MOST_IN_A_FOLDER = 10_000
"""Entries of one folder that the Hub takes (https://huggingface.co/docs/hub/storage-limits)."""

MOST_FILES = 100_000
"""Files of one repository that the Hub recommends at most (same page)."""


class NotPublished(Exception):
    """Why nothing, or nothing more, was published; the target still shows what it showed before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a release: its path below `root`, its size in bytes and its sha256 in hex, as the manifest says."""

    root: Path
    path: str
    n_bytes: int
    sha256: str

    @property
    def file(self) -> Path:
        """Where the file lies."""
        return self.root / self.path

    def git_sha1(self) -> str:
        """The id git gives to the file's content (a blob of the Hub). Raises NotPublished when the file changed."""
        data = self.file.read_bytes()
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise NotPublished(f"{self.file} changed while it was published")
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Release:
    """A release that may be published: its manifest and every file of it, the manifest included, sorted by path."""

    manifest: Mapping[str, Any]
    entries: tuple[Entry, ...]

    @property
    def version(self) -> str:
        """Folder name and tag."""
        return self.manifest["version"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing `release` to `target` would do.

    `send` are files that the target lacks or holds otherwise, `there` those it holds already, `gone` the sizes in bytes of files that
    it holds and the release does not, `left` paths that are not ours and stay. `state` says in words what the target is now, and
    `revision` what it stands at (a commit of the Hub; None where nothing was published).
    """

    release: Release
    target: str
    state: str
    revision: str | None
    send: tuple[Entry, ...]
    there: tuple[Entry, ...]
    gone: Mapping[str, int]
    left: tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether anything has to be sent or deleted."""
        return bool(self.send or self.gone)

    def facts(self) -> dict[str, int]:
        """Files and bytes by what happens to them."""
        sizes = {
            "new": [entry.n_bytes for entry in self.send],
            "already there": [entry.n_bytes for entry in self.there],
            "deleted": list(self.gone.values()),
        }
        return {
            f"{name}: {what}": count(size) for name, size in sizes.items() for what, count in (("files", len), ("bytes", sum))
        }


def publishable(path: Path) -> Release:
    """The release in a folder. Raises NotPublished with every reason why it must not leave the house, and for a damaged file."""
    try:
        manifest = verified(path)
    except (ReleaseDamaged, OSError, ValueError, KeyError) as error:
        raise NotPublished(f"{path} is not a whole release: {error}") from error
    if reasons := _refusals(path, manifest):
        raise NotPublished(f"{path} must not be published:\n" + "\n".join(f"- {reason}" for reason in reasons))
    text = (path / "manifest.json").read_bytes()
    entries = [Entry(path, file["path"], file["bytes"], file["sha256"]) for file in manifest["files"]]
    entries.append(Entry(path, "manifest.json", len(text), hashlib.sha256(text).hexdigest()))
    return Release(manifest, tuple(sorted(entries, key=lambda entry: entry.path)))


def _refusals(path: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Everything that speaks against publishing, read from the written files and not from the tables they came from."""
    found = [fault for faults in audit(path).values() for fault in in_words(faults)]
    return found if sum(manifest["samples"].values()) else [*found, "it holds no sample"]


def too_many(entries: Iterable[Entry]) -> list[str]:
    """Limits of the Hub that these files break, in words."""
    folders = Counter(str(Path(entry.path).parent) for entry in entries)
    crowded = [(name, count) for name, count in sorted(folders.items()) if count > MOST_IN_A_FOLDER]
    over = [f"{count:,} files in {name}/ (at most {MOST_IN_A_FOLDER:,})" for name, count in crowded]
    total = folders.total()
    return over + ([f"{total:,} files in all (at most {MOST_FILES:,})"] if total > MOST_FILES else [])


def manifest_paths(text: bytes) -> set[str]:
    """Paths that a published manifest lists, itself included; empty for what is not a manifest."""
    try:
        return {"manifest.json", *(file["path"] for file in json.loads(text)["files"])}
    except (ValueError, KeyError, TypeError):
        return set()
