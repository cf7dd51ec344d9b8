"""The documents of a release: card, datasheet, Croissant metadata and report, written from the lake and the files that are there already."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
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


def faults(root: Path, manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """What the Hub or a Croissant reader would stumble over, by document, read back from the files; empty lists where nothing is.

    The card is parsed by the Hub's own client and the configs by `datasets`; every path that they name must match a file of the release.
    """
    return {"card": _card_faults(root, manifest), "croissant": _croissant_faults(root, manifest)}


def _card_faults(root: Path, manifest: Mapping[str, Any]) -> list[str]:
    import yaml
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCard

    try:
        data = DatasetCard.load(root / "README.md").data
        configs = MetadataConfigs.from_dataset_card_data(data)  # type: ignore[arg-type]
    except (ValueError, TypeError, yaml.YAMLError) as error:
        return [f"README.md: {error}"]
    paths = [entry["path"] for entry in manifest["files"]]
    named = {(name, one["split"]): one["path"] for name, config in configs.items() for one in config["data_files"]}
    held = {tuple(cell.split("/")) for cell in manifest["samples"]}
    found = [f"no file matches {pattern}" for pattern in named.values() if not any(fnmatch(path, pattern) for path in paths)]
    return found + [f"{'/'.join(cell)} is in the manifest or the card, not in both" for cell in sorted(held ^ set(named))]


def _croissant_faults(root: Path, manifest: Mapping[str, Any]) -> list[str]:
    described = json.loads((root / "croissant.json").read_text(encoding="utf-8"))["distribution"]
    known = {entry["path"]: (f"{entry['bytes']} B", entry["sha256"]) for entry in manifest["files"]}
    files = {one["contentUrl"]: (one["contentSize"], one["sha256"]) for one in described if "contentUrl" in one}
    missing = {path for path in known if path.startswith("data/")} - files.keys()
    return [f"{path}: another size or checksum" for path, said in sorted(files.items()) if known.get(path) != said] + [
        f"{path} is not described" for path in sorted(missing)
    ]
