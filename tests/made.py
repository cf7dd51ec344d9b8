"""Small pictures, archives and sets in the published layouts, made by the tests that need them."""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, kind: str = "JPEG", size: tuple[int, int] = (48, 64)) -> bytes:
    """A picture of its own for each seed."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(40, 220, (6, 8, 3), dtype=np.uint8))
    out = io.BytesIO()
    small.resize((size[1], size[0]), Image.Resampling.BICUBIC).save(out, kind)
    return out.getvalue()


def mask(points: bool) -> bytes:
    """A PNG mask, empty or not."""
    pixels = np.zeros((32, 32), dtype=np.uint8)
    if points:
        pixels[4:8, 4:8] = 255
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def zipped(path: Path, members: Mapping[str, bytes]) -> Path:
    """A zip of the members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def table(rows: Sequence[Mapping[str, object]], columns: Iterable[str] | None = None, delimiter: str = ",") -> bytes:
    """A delimited table; columns in the order of the first row."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns or rows[0]), restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def sheet(lines: Sequence[Sequence[object]]) -> bytes:
    """A workbook of one sheet, as spreadsheets save it."""
    from openpyxl import Workbook

    book = Workbook()
    for line in lines:
        book.active.append(list(line))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def written(path: Path, data: bytes) -> Path:
    """A file with the data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
