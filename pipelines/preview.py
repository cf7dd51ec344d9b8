"""Thumbnails: a few images of a source as markdown with embedded JPEG, small enough for an asset's metadata."""

import base64
import io
import json
from collections.abc import Iterator, Mapping, Sequence

from pipelines.lake import Lake
from pipelines.pixels import pixel_batches

MOST_IMAGES, SIDE, MOST_BYTES = 8, 112, 50_000
"""At most 8 pictures; half of the 100 KB of design section 8, so that an event has room for the rest."""


def thumbnails(lake: Lake, source: str) -> str:
    """Markdown with up to eight pictures of a source, one a diagnosis first, each with id and label."""
    rows = lake.read("images", source=source, columns=["image_id", "diagnosis_raw"]).to_pylist()
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row["diagnosis_raw"] or "", row["image_id"])
    others = [row["image_id"] for row in rows if row["image_id"] not in first.values()]
    chosen = [*first.values(), *others][:MOST_IMAGES]
    label = {row["image_id"]: row["diagnosis_raw"] or "no label" for row in rows}
    return _markdown(lake, source, chosen, label)


def pictured(lake: Lake, told: Mapping[str, str]) -> str:
    """Markdown with pictures, each with its id and what is told of it, in the order given, as many as fit into the bounds."""
    chosen = list(told)[:MOST_IMAGES]
    drawn = dict(drawn_small(lake, chosen))
    lines, held = [], 0
    for image_id in chosen:
        held += len(drawn[image_id])
        if held < MOST_BYTES:
            lines.append(f"![{image_id}]({drawn[image_id]}) `{image_id}` {told[image_id]}")
    return "\n\n".join(lines) or "none"


def caught(lake: Lake, source: str) -> str:
    """Markdown with up to eight pictures that image gates exclude or hold back for a person: one a gate first, each with its verdicts."""
    rows = lake.read("image_quality", source=source, columns=["image_id", "excluded", "review", "verdicts"]).to_pylist()
    label, first = {}, dict[str, str]()
    for row in rows:
        if row["excluded"] or row["review"]:
            told = [v for v in json.loads(row["verdicts"]) if v["action"] != "flag"]
            label[row["image_id"]] = ", ".join(f"{v['code']} ({v['metric']} {v['measured']})" for v in told)
            for verdict in told:
                first.setdefault(verdict["code"], row["image_id"])
    chosen = list(dict.fromkeys([*first.values(), *label]))[:MOST_IMAGES]
    return _markdown(lake, source, chosen, label)


def side_by_side(lake: Lake, pairs: Sequence[tuple[str, str, str]]) -> str:
    """Markdown with pairs of pictures beside each other: (image id, image id, what to say), as many as fit into the bounds."""
    chosen = pairs[: MOST_IMAGES // 2]
    drawn = dict(drawn_small(lake, sorted({end for a, b, _ in chosen for end in (a, b)})))
    lines, held = ["| | | |", "|---|---|---|"], 0
    for a, b, said in chosen:
        held += len(drawn[a]) + len(drawn[b])
        if held < MOST_BYTES:
            lines.append(f"| ![{a}]({drawn[a]}) `{a}` | ![{b}]({drawn[b]}) `{b}` | {said} |")
    return "\n".join(lines) if chosen else "none"


def _markdown(lake: Lake, source: str, chosen: Sequence[str], label: dict[str, str]) -> str:
    lines, held = [], 0
    for image_id, picture in drawn_small(lake, chosen, source):
        held += len(picture)
        if held < MOST_BYTES:
            lines.append(f"![{image_id}]({picture}) {label[image_id]} (`{image_id}`)")
    return "\n\n".join(lines) or "no images"


def drawn_small(lake: Lake, chosen: Sequence[str], source: str | None = None, side: int = SIDE) -> Iterator[tuple[str, str]]:
    """Pictures as data URLs, their longer side at most `side` pixels; without any metadata of the file."""
    for batch in pixel_batches(lake, chosen, source=source):
        for image_id, data in batch.images():
            yield image_id, small(data, side)


def small(data: bytes, side: int = SIDE) -> str:
    """The bytes of an image as the data URL of a small one; without any metadata of the file."""
    from PIL import Image

    from quality.raster import decode

    picture = Image.fromarray(decode(data).rgb)
    picture.thumbnail((side, side))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=70)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
