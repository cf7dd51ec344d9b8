"""What changed between two releases, and why: `python -m pipelines.diff OLD NEW`, folders of releases.

Rows are compared by image and format, so that another teacher's text is a change and not a row that went and one that came. Why an image is
missing is told by the notes beside the releases (`pipelines.history`). Memory: about 500 bytes a row of both.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.chunks import new_bytes
from pipelines.history import FOLDER, before, fates
from prompts.schemas import digest

Key = tuple[str, str, int]
"""Image key, format, and which of its rows."""

Fates = Mapping[str, Mapping[str, str | None]]

COMPARED = {
    "split": ("split",),
    "label": ("diagnosis", "taxon_path"),
    "teacher": ("teacher", "teacher_revision", "conditioning"),
    "licence": ("licence", "attribution"),
    "review": ("verified_by",),
}
"""Kinds of change and the columns that show them; what is said is compared beside these."""


@dataclass(slots=True)
class Diff:
    """Rows by reason, and bytes: of the new release, of its files and of its chunks that the old one lacks, and of files that went."""

    old: str
    new: str
    added: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    n_bytes: dict[str, int] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        kinds = {name: dict(sorted(getattr(self, name).items())) for name in ("added", "removed", "changed")}
        return {"old": self.old, "new": self.new, **kinds, "unchanged": self.unchanged, "bytes": self.n_bytes}

    def markdown(self) -> str:
        """As a page."""
        lines = [f"# {self.old} → {self.new}", "", "| rows | why | how many |", "|---|---|---|"]
        for name in ("added", "removed", "changed"):
            lines += [f"| {name} | {why} | {count:,} |" for why, count in getattr(self, name).most_common()]
        lines += [f"| unchanged | | {self.unchanged:,} |", "", "| bytes | MB | share |", "|---|---|---|"]
        total = self.n_bytes["total"] or 1
        lines += [f"| {what} | {count / 1e6:,.1f} | {count / total:.1%} |" for what, count in self.n_bytes.items()]
        return "\n".join(lines) + "\n"


def since_before(release: Path) -> Diff | None:
    """The difference between a release and the one before it, also written to `history/<version>.md`; None where there is none."""
    old = before(release.parent, release.name)
    if old is None:
        return None
    diff = compare(old, release)
    (release.parent / FOLDER / f"{release.name}.md").write_text(diff.markdown(), encoding="utf-8")
    return diff


def compare(old: Path, new: Path) -> Diff:
    """The difference between two releases. Raises OSError and KeyError for a folder that is none."""
    diff = Diff(old.name, new.name)
    was, after = _rows(old), _rows(new)
    then, now, there = fates(old), fates(new), {image for image, _, _ in after}
    for key in sorted(was.keys() | after.keys()):
        if key not in after:
            diff.removed[_gone(key, now, there)] += 1
        elif key not in was:
            diff.added[_come(key, then)] += 1
        elif why := _why(was[key], after[key], then.get(key[0], {}), now.get(key[0], {})):
            diff.changed[why] += 1
        else:
            diff.unchanged += 1
    diff.n_bytes = _bytes(old, new)
    return diff


def _rows(release: Path) -> dict[Key, dict[str, str]]:
    """Digests of what each row says, by kind."""
    import pyarrow.parquet as pq

    rows: dict[Key, dict[str, str]] = {}
    pictures = {
        Path(entry["path"]).stem: entry["sha256"] for entry in _files(release) if entry["path"].startswith("trainer/images/")
    }
    seen: Counter[tuple[str, str]] = Counter()
    for path in sorted(release.glob("data/*/*.parquet")):
        file = pq.ParquetFile(path)
        columns = [name for name in file.schema_arrow.names if name != "images"]
        for batch in file.iter_batches(columns=columns, batch_size=1024):
            for row in batch.to_pylist():
                cell = row["image_id"], row["format"]
                rows[*cell, seen[cell]] = {
                    **_digests(row),
                    "picture": pictures.get(row["image_id"], row.get("image_sha256", "")),
                }
                seen[cell] += 1
    return rows


def _digests(row: Mapping[str, Any]) -> dict[str, str]:
    said: dict[str, list[Any]] = defaultdict(list)
    for turn in row["messages"]:
        said[turn["role"]].append(turn["content"])
    kinds = {kind: [row[name] for name in names] for kind, names in COMPARED.items()}
    kinds |= {"asked": said["user"], "answered": [said["assistant"], row["ground_truth"]]}
    return {kind: digest(value)[:16] for kind, value in kinds.items()}


def _gone(key: Key, now: Fates, there: set[str]) -> str:
    if key[0] in there:
        return "format: the image is there, not in this format"
    return (now.get(key[0]) or {}).get("reason") or "source: the image is no longer there"


def _come(key: Key, then: Fates) -> str:
    if key[0] not in then:
        return "source: the image is new"
    why = then[key[0]].get("reason")
    return f"no longer held back by {why}" if why else "format: the image was there, not in this format"


def _why(old: Mapping[str, str], new: Mapping[str, str], then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first kind of change that explains the others; empty for none."""
    kinds = [kind for kind in ("label", "teacher", "split", "licence", "review", "picture") if old[kind] != new[kind]]
    if kinds:
        return " and ".join(kinds)
    if old["answered"] != new["answered"] or old["asked"] != new["asked"]:
        asked_otherwise = then.get("prompts") != now.get("prompts")
        return (
            "prompt" if asked_otherwise or old["answered"] == new["answered"] else "teacher: another answer to the same prompts"
        )
    return ""


def _bytes(old: Path, new: Path) -> dict[str, int]:
    held, wanted = _files(old), _files(new)
    known, kept = {entry["sha256"] for entry in held}, {entry["path"] for entry in wanted}
    fresh = [entry for entry in wanted if entry["sha256"] not in known]
    return {
        "total": sum(entry["bytes"] for entry in wanted),
        "new files (a plain store is sent these)": sum(entry["bytes"] for entry in fresh),
        "new chunks (the Hub is sent about these)": new_bytes(_paths(old, held), _paths(new, fresh)),
        "files that went": sum(entry["bytes"] for entry in held if entry["path"] not in kept),
    }


def _files(release: Path) -> list[dict[str, Any]]:
    return json.loads((release / "manifest.json").read_text(encoding="utf-8"))["files"]


def _paths(release: Path, entries: list[dict[str, Any]]) -> Iterator[Path]:
    return (release / entry["path"] for entry in entries)


def main() -> int:
    """Command line; exit status 2 for a folder that is no release."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.diff", description="What changed between two releases, and why.")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    given = parser.parse_args()
    try:
        print(compare(given.old, given.new).markdown(), end="")
    except (OSError, KeyError, ValueError) as error:
        print(f"no release: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
