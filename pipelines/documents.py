"""The documents of a release: card, datasheet, Croissant metadata and report, written from the lake and the files that are there already."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.card import card
from pipelines.croissant import croissant
from pipelines.datasheet import datasheet
from pipelines.lake import Lake
from pipelines.report.audience import public
from pipelines.report.facts import facts
from pipelines.report.page import report

DOCUMENTS = ("README.md", "DATASHEET.md", "croissant.json", "report.html")


def write_documents(
    lake: Lake, root: Path, head: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], files: Sequence[Mapping[str, Any]]
) -> None:
    """Write `DOCUMENTS` below `root`. `head` is the manifest without its files, `rows` the samples (read twice), `files` its entries so far.

    Croissant lists `files`; the documents themselves are in the manifest.
    """
    sources = head["requested_sources"]
    released = {row["image_id"] for row in rows}
    told = facts(lake, sources, released)
    page = report(
        lake,
        sources,
        public(lake, sources, head["profile"]),
        told=told,
        title=f"DermoForge {head['version']}",
        profile=head["profile"],
        released=released,
        samples=_by_format(head["samples"]),
        withheld=head["withheld_images"],
    )
    for name, text in (
        ("README.md", card(head, rows, told, files)),
        ("DATASHEET.md", datasheet(head, told)),
        ("report.html", page),
        ("croissant.json", croissant(head, files)),
    ):
        (root / name).write_text(text, encoding="utf-8")


def _by_format(samples: Mapping[str, int]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for cell, count in samples.items():
        counts[cell.split("/")[0]] += count
    return dict(counts)
