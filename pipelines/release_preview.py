"""A look into a finished release: a few rows of each of its parts as markdown, small enough for an asset's metadata."""

import base64
import json
import tarfile
from pathlib import Path

from pipelines.preview import MOST_BYTES

MOST_PICTURES, LETTERS = 4, 300


def preview(path: Path, part: str) -> str:
    """The first rows of `parquet_shards`, `webdataset_shards` or `trainer_exports` of the release at `path`."""
    shown = {"parquet_shards": _rows, "webdataset_shards": _members, "trainer_exports": _exports}[part](path)
    return "\n\n".join(shown) or "nothing"


def _rows(path: Path) -> list[str]:
    """The first picture of each format's largest split with what is asked and answered."""
    import pyarrow.parquet as pq

    lines, held = [], 0
    for file in [sorted(folder.glob("*.parquet"))[-1] for folder in sorted(path.glob("data/*"))][:MOST_PICTURES]:
        row = pq.ParquetFile(file).read_row_group(0).slice(0, 1).to_pylist()[0]
        said = " → ".join(part["text"] for turn in row["messages"][:2] for part in turn["content"] if part["text"])
        picture = row.get("images") or []
        data = base64.b64encode(picture[0]["bytes"]).decode() if picture else ""
        held += len(data)
        drawn = f"![{row['image_id']}](data:image/jpeg;base64,{data})\n\n" if data and held < MOST_BYTES else ""
        lines.append(f"{drawn}**{row['format']}** `{row['id']}` ({row['licence']}): {_short(said)}")
    return lines


def _members(path: Path) -> list[str]:
    tars = sorted(path.glob("webdataset/*/*.tar"))[:MOST_PICTURES]
    lines = []
    for name in tars:
        with tarfile.open(name) as tar:
            first = [member for _, member in zip(range(2), tar, strict=False)]
        lines.append(f"`{name.relative_to(path)}`: {', '.join(f'{m.name} ({m.size:,} bytes)' for m in first)} …")
    return lines


def _exports(path: Path) -> list[str]:
    lines = []
    for file in sorted(path.glob("trainer/*/train.json*"))[:MOST_PICTURES]:
        with file.open(encoding="utf-8") as handle:
            row = next(line for line in handle if line.strip().startswith("{")).strip().rstrip(",")
        lines.append(f"`{file.relative_to(path)}`: `{_short(json.dumps(json.loads(row), ensure_ascii=False))}`")
    return lines


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else text[:LETTERS] + " …"
