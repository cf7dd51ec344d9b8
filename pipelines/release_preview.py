"""A look into a finished release: a few rows of each of its parts as markdown, small enough for an asset's metadata."""

import json
import tarfile
from pathlib import Path

from pipelines.preview import MOST_IMAGES, small

MOST_FILES, LETTERS = 4, 300


def preview(path: Path, part: str) -> str:
    """The first rows of `parquet_shards`, `webdataset_shards` or `trainer_exports` of the release at `path`."""
    shown = {"parquet_shards": _rows, "webdataset_shards": _members, "trainer_exports": _exports}[part](path)
    return "\n\n".join(shown) or "nothing"


def columns(path: Path, part: str) -> list[tuple[str, str]]:
    """Names and types of what a row has in `parquet_shards` or `webdataset_shards`; nothing for trainers, each of which has its own."""
    import pyarrow.parquet as pq

    if part == "parquet_shards":
        first = next(iter(sorted(path.glob("data/*/*.parquet"))), None)
        return [] if first is None else [(field.name, str(field.type)) for field in pq.read_schema(first)]
    first = next(iter(sorted(path.glob("webdataset/*/*.tar"))), None) if part == "webdataset_shards" else None
    if first is None:
        return []
    with tarfile.open(first) as tar:
        record = next((member for member in tar if member.name.endswith(".json")), None)
        held = tar.extractfile(record) if record else None
        found = json.load(held) if held else {}
    return [("jpg", "picture"), *((f"json: {name}", type(value).__name__) for name, value in found.items())]


def _rows(path: Path) -> list[str]:
    """The first picture of each format's largest split with what is asked and answered."""
    import pyarrow.parquet as pq

    lines = []
    for file in [sorted(folder.glob("*.parquet"))[-1] for folder in sorted(path.glob("data/*"))][:MOST_IMAGES]:
        row = pq.ParquetFile(file).read_row_group(0).slice(0, 1).to_pylist()[0]
        said = " → ".join(part["text"] for turn in row["messages"][:2] for part in turn["content"] if part["text"])
        picture = row.get("images") or []
        drawn = f"![{row['image_id']}]({small(picture[0]['bytes'])})\n\n" if picture else ""
        lines.append(f"{drawn}**{row['format']}** `{row['id']}` ({row['licence']}): {_short(said)}")
    return lines


def _members(path: Path) -> list[str]:
    tars = sorted(path.glob("webdataset/*/*.tar"))[:MOST_FILES]
    lines = []
    for name in tars:
        with tarfile.open(name) as tar:
            first = [member for _, member in zip(range(2), tar, strict=False)]
        lines.append(f"`{name.relative_to(path)}`: {', '.join(f'{m.name} ({m.size:,} bytes)' for m in first)} …")
    return lines


def _exports(path: Path) -> list[str]:
    lines = []
    for file in sorted(path.glob("trainer/*/train.json*"))[:MOST_FILES]:
        with file.open(encoding="utf-8") as handle:
            row = next(line for line in handle if line.strip().startswith("{")).strip().rstrip(",")
        lines.append(f"`{file.relative_to(path)}`: `{_short(json.dumps(json.loads(row), ensure_ascii=False))}`")
    return lines


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else text[:LETTERS] + " …"
