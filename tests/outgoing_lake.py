"""A small lake whose samples are ready for a release, with secrets in every place where a source can have one."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image, PngImagePlugin

from pipelines.lake import Lake
from pipelines.tables import TABLES
from prompts.ontology import load
from quality.image_gates import ACTIONS
from tests.made import picture

FORMATS = ("description", "choice")


@dataclass(frozen=True)
class Made:
    """An image of the lake. Words made of its number stand in every field, so that a leak is found by its words."""

    number: int
    source: str = "ham10000"
    licence: str | None = "CC-BY-4.0"
    said: str | None = "CC-BY-4.0"
    gates: tuple[str, ...] | None = ()
    kind: str = "JPEG"
    history: str = "no complaint"
    text: str = ""
    split: str = "train"

    @property
    def image_id(self) -> str:
        return f"{self.source}:{self.secret('native')}"

    @property
    def public(self) -> str:
        """A word of its text."""
        return self.secret("finding")

    def secret(self, field: str) -> str:
        """A word that stands nowhere else."""
        return f"{field}q{self.number:05d}x"

    def data(self) -> bytes:
        """Its file, with words in the metadata."""
        image = Image.open(io.BytesIO(picture(self.number, "PNG")))
        out = io.BytesIO()
        if self.kind == "PNG":
            told = PngImagePlugin.PngInfo()
            told.add_text("Comment", self.secret("png"))
            image.save(out, "PNG", pnginfo=told)
        else:
            exif = Image.Exif()
            exif[0x010E], exif[0xA431] = self.secret("exif"), self.secret("serial")
            image.save(out, "JPEG", quality=90, exif=exif, comment=self.secret("comment").encode())
        return out.getvalue()


SECRETS = ("native", "archive", "member", "patient", "lesion", "history", "exif", "serial", "comment", "png")
"""Fields whose words no release holds, whatever the licence."""


def lake_of(home: Path, images: Sequence[Made]) -> Lake:
    """The lake of these images."""
    lake = Lake(str(home / "lake"))
    for source in sorted({image.source for image in images}):
        mine = [image for image in images if image.source == source]
        pack = lake.write_pack(source, [(image.image_id, image.data()) for image in mine])
        _put(lake, "images", source, [_image(image, pack, n) for n, image in enumerate(mine)])
        gated = [image for image in mine if image.gates is not None]
        _put(lake, "image_quality", source, [_judged(image) for image in gated])
        _put(lake, "samples", source, [row for image in mine for row in _samples(image)])
        _put(lake, "sources", source, [{"source": source, "version": "1", "input_digest": "0", "files": "{}"}])
    return lake


def _put(lake: Lake, table: str, source: str, rows: list[dict]) -> None:
    lake.replace(table, pa.Table.from_pylist(rows, schema=TABLES[table].schema), source=source)


def _judged(image: Made) -> dict:
    codes = list(image.gates or ())
    verdicts = [{"code": code, "action": ACTIONS[code], "metric": "made", "measured": 1.0, "threshold": 0.5} for code in codes]
    return {"image_id": image.image_id, "source": image.source, "gates": codes, "verdicts": json.dumps(verdicts)}


def _image(image: Made, pack: str, row: int) -> dict:
    import hashlib

    data = image.data()
    return {
        "image_id": image.image_id,
        "source": image.source,
        "native_id": image.secret("native"),
        "archive": image.secret("archive"),
        "member": image.secret("member"),
        "patient_id": image.secret("patient"),
        "lesion_id": image.secret("lesion"),
        "n_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "pack": pack,
        "pack_row": row,
        "licence_id": image.licence,
        "attribution": "the owners",
        "history": json.dumps({"note": f"{image.history} {image.secret('history')}"}),
    }


def _samples(image: Made) -> list[dict]:
    node = next(name for name in sorted(load().nodes) if len(load().path(name)) > 1)
    rows = []
    for number, name in enumerate(FORMATS):
        turns = [
            {"role": "user", "content": "<image>\nWhat is seen?"},
            {"role": "assistant", "content": f"A patch with {image.public}. {image.text}"},
        ]
        rows.append(
            {
                "sample_id": f"{image.number:016x}{number:08x}",
                "source": image.source,
                "image_id": image.image_id,
                "format": name,
                "split": image.split,
                "messages": json.dumps(turns),
                "node": node,
                "teacher": "composer",
                "revision": "1",
                "conditioning": "confirmed",
                "verified_by": 0,
                "licence_id": image.said,
                "attribution": image.secret("credit"),
            }
        )
    return rows


def numbered(images: Sequence[Made]) -> list[Made]:
    """The same with a number each."""
    return [replace(image, number=n) for n, image in enumerate(images)]


def pixels_inside(picture_bytes: bytes) -> bytes:
    """A stretch of compressed pixels by which a picture is known in any file that holds it."""
    return picture_bytes[len(picture_bytes) // 2 :][:48]


def everything(release: Path) -> bytes:
    """Every byte of a release, and every value of its Parquet files, which are compressed there."""
    import pyarrow.parquet as pq

    parts = []
    for path in sorted(path for path in release.rglob("*") if path.is_file()):
        parts += [str(path.relative_to(release)).encode(), path.read_bytes()]
        if path.suffix == ".parquet":
            for row in pq.read_table(path).to_pylist():
                parts += [cell["bytes"] for cell in row.pop("images", [])]
                parts.append(json.dumps(row).encode())
    return b"\0".join(parts)


def same_pixels(a: bytes, b: bytes) -> bool:
    """Whether two files show exactly the same picture."""
    first, second = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in (a, b))
    return bool((first == second).all())
