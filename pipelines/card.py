"""The data card of a release: README.md with the Hub's YAML head, written from the manifest and the catalogue alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from prompts.formats import FORMATS
from quality.checks import CHECKS
from sources.catalogue import source as catalogue_entry
from sources.licences import LICENCES

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card(head: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """The whole README.md. `head` is the manifest without its files, `rows` the samples of the release."""
    parts = [_yaml(head), _intro(head), _counts(head), _licences(head), _teacher(head), _limits(head, rows)]
    return "\n\n".join(parts) + "\n"


def _yaml(head: Mapping[str, Any]) -> str:
    total = sum(head["samples"].values())
    size = next((name for limit, name in SIZES if total < limit), "n>1M")
    lines = [
        "---",
        f"pretty_name: DermoForge {head['name']}",
        "license: other",
        "language: [en]",
        f"size_categories: [{size}]",
    ]
    lines += [
        "task_categories: [image-text-to-text, visual-question-answering]",
        "tags: [dermatology, medical, synthetic]",
    ]
    lines.append("configs:")
    for name in FORMATS:
        splits = [cell.split("/")[1] for cell in head["samples"] if cell.split("/")[0] == name]
        if splits:
            lines += [f"- config_name: {name}", "  data_files:"]
            lines += [f"  - {{split: {split}, path: data/{name}/{split}-*.parquet}}" for split in splits]
    return "\n".join([*lines, "---"])


def _intro(head: Mapping[str, Any]) -> str:
    what = "drawn phantom lesions (no real patient)" if head["name"] == "phantom" else "open dermatology image sets"
    return (
        f"# DermoForge {head['version']}\n\n"
        f"Instruction data about {what}. **Every answer in this release was generated**, by the teacher named below, and checked "
        "by rule; the images and their diagnoses come from the sources. It is material for research on models, not for the care "
        "of a patient."
    )


def _counts(head: Mapping[str, Any]) -> str:
    splits = sorted({cell.split("/")[1] for cell in head["samples"]})
    lines = [f"| format | {' | '.join(splits)} |", "|---" * (len(splits) + 1) + "|"]
    for name in FORMATS:
        cells = [f"{head['samples'].get(f'{name}/{split}', 0):,}" for split in splits]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    images = ", ".join(f"{split} {count:,}" for split, count in head["images"].items())
    return (
        "## What is in it\n\nSamples:\n\n"
        + "\n".join(lines)
        + f"\n\nImages: {images}. Groups (copies, lesions, patients, shared archive ids) never cross a split."
    )


def _licences(head: Mapping[str, Any]) -> str:
    lines = ["| source | title | licence | attribution |", "|---|---|---|---|"]
    for name in head["sources"]:
        entry = catalogue_entry(name)
        licence = LICENCES[entry.licence_id]
        lines.append(f"| [{name}]({entry.url}) | {entry.title} | [{licence.id}]({licence.url}) | {entry.attribution} |")
    withheld = [f"- {count:,} images withheld: {why}" for why, count in head["withheld_images"].items()]
    return f"## Licences (profile `{head['profile']}`)\n\n" + "\n".join([*lines, "", *withheld]).rstrip()


def _teacher(head: Mapping[str, Any]) -> str:
    checks = "\n".join(f"- `{code}`: {sentence}" for code, sentence in CHECKS.items())
    return (
        "## How the text was made\n\n"
        f"Teacher (revision, what the reason stage was told): {'; '.join(head['teachers'])}. The observe stage never sees the "
        "label, the metadata or the file name. Checks that every row passed:\n\n" + checks
    )


def _limits(head: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    absent = [name for name in FORMATS if not any(cell.startswith(f"{name}/") for cell in head["samples"])]
    labels = Counter(row["diagnosis"] for row in rows if row["format"] == "description").most_common(3)
    lines = [
        "- Text by the composer states only annotations and measurements; it is plainer than a dermatologist's.",
        "- The reasoning is written with the source's diagnosis known (see conditioning above): it is a rationale, not a blind read.",
        f"- Labels are unbalanced; the most frequent: {', '.join(f'{name} ({count:,} images)' for name, count in labels)}.",
    ]
    if absent:
        lines.append(
            f"- No rows in {', '.join(absent)}: these formats need a complete morphology, which nothing here supports."
        )
    return "## Known limits\n\n" + "\n".join(lines)
