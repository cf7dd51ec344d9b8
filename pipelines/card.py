"""The data card of a release: README.md with the Hub's YAML head. Every number is read from the manifest, the lake or measured figures."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipelines.report.facts import Facts
from prompts.formats import FORMATS
from quality.checks import CHECKS
from quality.image_gates import ACTIONS
from quality.thresholds import RARE_DIAGNOSIS, SPLIT_SHARES
from sources.catalogue import source as catalogue_entry
from sources.licences import LICENCES, carries_images

SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)
HUB_LICENCES = {
    "CC0-1.0": "cc0-1.0",
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-NC-4.0": "cc-by-nc-4.0",
    "CC-BY-NC-SA-3.0": "cc-by-nc-sa-3.0",
    "CC-BY-NC-SA-4.0": "cc-by-nc-sa-4.0",
}
"""Licences that the Hub has a name for; a release under several, or under another, is `other`."""

WEAK = 0.8
"""Share of planted faults under which a check is named among the limits."""

NO_IMAGE = (
    "Rows hold no image: `rejoin.py` joins them to those that you have. Each names its image by checksum, has its messages"
)

TOLD = {
    "confirmed": "the reason stage was told the source's diagnosis and explains it",
    "candidates": "the reason stage was told several candidate diagnoses",
    "blind": "nothing about the diagnosis was told",
}


def card(head: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], told: Facts, files: Sequence[Mapping[str, Any]]) -> str:
    """The whole README.md. `head` is the manifest without its files, `rows` the samples, `files` what has been written so far."""
    labels, verified = _labels(rows)
    parts = [
        f"---\n{hub_metadata(head, files)}---",
        _intro(head, verified),
        _use(head),
        _counts(head, files),
        _licences(head),
        _teacher(head, verified),
        _checks(told),
        _limits(head, told, labels),
        _uses(head),
        _documents(),
    ]
    return "\n\n".join(parts) + "\n"


def _labels(rows: Iterable[Mapping[str, Any]]) -> tuple[Counter[str], int]:
    """Images by diagnosis, and rows that a person accepted."""
    label, verified = {}, 0
    for row in rows:
        label[row["image_id"]] = row["diagnosis"]
        verified += row["verified_by"] > 0
    return Counter(label.values()), verified


def hub_metadata(head: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> str:
    """The YAML head, written by the Hub's own client: configs by format and split, licence, sources, sizes, tags."""
    from huggingface_hub import DatasetCardData

    total = sum(head["samples"].values())
    phantom = head["name"] == "phantom"
    data = DatasetCardData(
        pretty_name=f"DermoForge {head['name']}",
        **_hub_licence(head),
        language=["en"],
        multilinguality=["monolingual"],
        annotations_creators=["machine-generated"],
        language_creators=["machine-generated"],
        size_categories=[next((name for limit, name in SIZES if total < limit), "100M<n<1B")],
        source_datasets=["original"] if phantom else [f"extended|other-{name}" for name in head["sources"]],
        task_categories=["image-text-to-text", "visual-question-answering", "image-classification"],
        tags=_tags(head),
        configs=[_config(head, name) for name in _formats(head)],
        dataset_info=[_sizes(head, name, files) for name in _formats(head)],
        extra_gated_prompt="This is material for research on models. It is not for the care of patients, and each image keeps its licence.",
    )
    return f"{data.to_yaml(line_break=chr(10))}\n"


def _hub_licence(head: Mapping[str, Any]) -> dict[str, Any]:
    used = sorted({licence for licences in head["licences"].values() for licence in licences})
    if len(used) == 1 and used[0] in HUB_LICENCES:
        return {"license": HUB_LICENCES[used[0]]}
    return {"license": "other", "license_name": "by-image", "license_link": "README.md"}


def _tags(head: Mapping[str, Any]) -> list[str]:
    return ["dermatology", "medical", "skin", "synthetic-text", "instruction-tuning", f"profile-{head['profile']}"] + (
        ["phantom"] if head["name"] == "phantom" else []
    )


def _formats(head: Mapping[str, Any]) -> list[str]:
    return [name for name in FORMATS if any(cell.startswith(f"{name}/") for cell in head["samples"])]


def _splits(head: Mapping[str, Any], name: str) -> list[str]:
    return [split for split in SPLIT_SHARES if f"{name}/{split}" in head["samples"]]


def _config(head: Mapping[str, Any], name: str) -> dict[str, Any]:
    files = [{"split": split, "path": f"data/{name}/{split}-*.parquet"} for split in _splits(head, name)]
    first = name == _formats(head)[0]
    return {"config_name": name, "data_files": files, **({"default": True} if first else {})}


def _sizes(head: Mapping[str, Any], name: str, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows and bytes of a config's splits, which `datasets` holds the files against. Bytes are those of the Parquet files."""
    splits = []
    for split in _splits(head, name):
        held = sum(entry["bytes"] for entry in files if entry["path"].startswith(f"data/{name}/{split}-"))
        splits.append({"name": split, "num_bytes": held, "num_examples": head["samples"][f"{name}/{split}"]})
    total = sum(split["num_bytes"] for split in splits)
    return {"config_name": name, "splits": splits, "download_size": total, "dataset_size": total}


def _intro(head: Mapping[str, Any], verified: int) -> str:
    people = (
        f"{verified:,} rows were accepted by a person, who may have corrected the text; the others were written by no person"
        if verified
        else "No text in this release was written by a person"
    )
    what = "drawn phantom lesions (no real patient)" if head["name"] == "phantom" else "open dermatology image sets"
    return (
        f"# DermoForge {head['version']}\n\n"
        f"Instruction data about {what}. **{people}**: descriptions and reasoning were "
        "generated by the teacher named below and checked by rule; questions, and the answers to choice and hierarchy, were "
        "rendered from templates and the sources' diagnoses. It is material for research on models, not for the care of a patient."
    )


def _use(head: Mapping[str, Any]) -> str:
    name = _formats(head)[0]
    split = _splits(head, name)[0]
    return (
        "## Load it\n\n```python\nfrom datasets import load_dataset\n\n"
        f'rows = load_dataset("<this repository or folder>", "{name}", split="{split}")\n```\n\n'
        + ("Each row has one image, its messages" if carries_images(head["profile"]) else NO_IMAGE)
        + ", and says who wrote the text (`teacher`, `teacher_revision`, `conditioning`, `generated`), "
        "who accepted it (`verified_by`), and under which licence the image is (`licence`, `attribution`)."
    )


def _counts(head: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> str:
    splits = [name for name in SPLIT_SHARES if any(cell.endswith(f"/{name}") for cell in head["samples"])]
    rows = [[name, *(f"{head['samples'].get(f'{name}/{split}', 0):,}" for split in splits)] for name in FORMATS]
    images = ", ".join(f"{split} {count:,}" for split, count in head["images"].items())
    size = sum(entry["bytes"] for entry in files) / 1e6
    return (
        "## What is in it\n\nSamples:\n\n"
        + table(["format", *splits], rows)
        + f"\n\nImages: {images}. Groups (copies, lesions, patients, shared archive ids) never cross a split. "
        f"{len(files):,} files, {size:,.1f} MB; `manifest.json` has the checksum of each."
    )


def _licences(head: Mapping[str, Any]) -> str:
    rows = []
    for name in head["sources"]:
        entry = catalogue_entry(name)
        licences = ", ".join(f"[{i}]({LICENCES[i].url})" if LICENCES[i].url else i for i in head["licences"][name])
        permits = "; ".join(dict.fromkeys(LICENCES[i].permits() for i in head["licences"][name]))
        rows.append(
            [f"[{name}]({entry.url})", entry.title, licences, permits, "; ".join(head["attributions"][name]), entry.citation]
        )
    withheld = [f"- {count:,} images withheld: {why}" for why, count in head["withheld_images"].items()]
    header = ["source", "title", "licence", "permits", "attribution", "citation"]
    return f"## Licences (profile `{head['profile']}`)\n\n" + "\n".join([table(header, rows), "", *withheld]).rstrip()


def _teacher(head: Mapping[str, Any], verified: int) -> str:
    header = ["teacher", "revision", "stage", "told", "prompt", "schema", "sampling", "answers"]
    rows = [
        [
            entry["teacher"],
            entry["revision"],
            entry["stage"],
            entry["conditioning"],
            f"`{entry['prompt_version']}`",
            f"`{(entry['schema_digest'] or '')[:16]}`",
            f"`{entry['sampling']}`" if entry["sampling"] != "{}" else "none",
            f"{entry['answers']:,}",
        ]
        for entry in head["asked"]
    ]
    told = sorted({entry["conditioning"] for entry in head["asked"]} & TOLD.keys())
    meaning = "".join(f"\n- `{name}`: {TOLD[name]}." for name in told)
    return (
        "## How the text was made\n\n"
        + table(header, rows)
        + "\n\nPrompts and schemas are named by digests of their content (`prompts/versions.py`). The observe stage never sees the "
        f"label, the metadata or the file name.{meaning}\n\n"
        f"{verified:,} of the rows were accepted by a person (`verified_by`), whose verdict stands above the checks."
    )


def _checks(told: Facts) -> str:
    made = {row["check"]: row for row in told.checks}
    rows = []
    for code, sentence in CHECKS.items():
        known, here = told.recall.checks[code], made.get(code, {"made_sum": 0, "failed_sum": 0})
        found = [share(known.known), share(known.unseen), f"{known.false_alarms:.3f}"]
        rows.append([f"`{code}`", sentence, f"{here['made_sum']:,}", f"{here['failed_sum']:,}", *found])
    gates = [
        [
            f"`{code}`",
            ACTIONS[code],
            f"{told.counts['image_gates'].get(code, 0):,}",
            share(known.recall),
            f"{known.phantoms:.3f}",
            f"{known.real:.3f}",
        ]
        for code, known in told.recall.gates.items()
    ]
    return (
        "## What was checked, and how much the checks miss\n\n"
        f"*Found* is the measured share of planted faults ({told.recall.planted} of a kind) that a check finds, in the words of {told.recall.authors} authors. "
        "The checks were mended from what they missed; *found unseen* is of the last author, before those texts were looked at, and alone speaks for what "
        "nobody has seen yet. "
        "*Fires on sound* is the worst share of "
        f"{told.recall.sound:,} sound texts. *Made* and *failed* count this corpus, rejected answers included.\n\n"
        + table(["check", "what must hold", "made", "failed", "found", "found unseen", "fires on sound"], rows)
        + "\n\nImage gates, measured on faults planted into pictures of "
        + ", ".join(f"{name} ({count})" for name, count in told.recall.pictures.items())
        + ". Real pictures truly have hair, ink and corners, so the last column bounds the false alarms from above.\n\n"
        + table(["gate", "action", "fired here", "found", "fires on phantoms", "fires on real pictures"], gates)
    )


def share(value: float | None) -> str:
    """A share with two digits; a dash where nothing was measured."""
    return "-" if value is None else f"{value:.2f}"


def _limits(head: Mapping[str, Any], told: Facts, labels: Counter[str]) -> str:
    weak = {
        code: known.unseen for code, known in told.recall.checks.items() if known.unseen is not None and known.unseen < WEAK
    }
    listed = ", ".join(f"`{code}` {value:.2f}" for code, value in sorted(weak.items(), key=lambda item: (item[1], item[0])))
    common = ", ".join(f"{name} ({count:,})" for name, count in labels.most_common(3))
    rare = sum(count < RARE_DIAGNOSIS for count in labels.values())
    lines = [
        f"Checks find only part of what is wrong. Shares of unseen faults found, where under {WEAK}: {listed}.",
        *(
            f"Text by the {name} states only annotations and measurements; it is plainer than a dermatologist's."
            for name in _composers(head)
        ),
        *_conditioning(head),
        f"{len(labels)} diagnoses, unbalanced: {common} are the most frequent; {rare} have fewer than {RARE_DIAGNOSIS} images.",
        *_tones(told),
        "Labels are the sources' own; what each rests on is in `report.html`. Label errors of a source are kept.",
    ]
    absent = [name for name in FORMATS if name not in _formats(head)]
    if absent:
        lines.append(
            f"No rows in {', '.join(absent)}: nothing here supports them (docs/formats.md of the program says what each needs)."
        )
    return "## Known limits\n\n" + "\n".join(f"- {line}" for line in lines)


def _composers(head: Mapping[str, Any]) -> list[str]:
    return sorted({entry["teacher"] for entry in head["asked"] if entry["teacher"] == "composer"})


def _conditioning(head: Mapping[str, Any]) -> list[str]:
    if not any(entry["conditioning"] == "confirmed" for entry in head["asked"]):
        return []
    return ["The reasoning was written with the source's diagnosis known: it is a rationale, not a blind read."]


def _tones(told: Facts) -> list[str]:
    """What each tone system covers; systems stay apart."""
    images = sum(count.released for count in told.dimensions["source"])
    if not told.tones:
        return ["No source states a skin tone: performance by skin tone cannot be read from this corpus."]
    lines = []
    for system, counts in told.tones.items():
        stated = ", ".join(f"{count.name}: {count.released:,}" for count in counts)
        empty = next(found.empty for found in told.coverage if found.system == system)
        lines.append(
            f"Skin tone on the scale `{system}` ({stated}; of {images:,} released images): {empty} cells of diagnosis and tone are empty."
        )
    return lines


def _uses(head: Mapping[str, Any]) -> str:
    commercial = all(LICENCES[i].commercial for licences in head["licences"].values() for i in licences)
    return (
        "## Intended use, and misuse\n\n"
        "Meant for: training and testing multimodal models on describing skin lesions and arguing from findings; studying how generated "
        "supervision fails; testing data pipelines.\n\n"
        "Not meant for: diagnosing or triaging people; a claim that a model is safe on skin tones or conditions that are missing here; "
        "presenting the texts as statements of dermatologists; finding out who a pictured person is."
        + ("" if commercial else " Some images exclude commercial use: so does the release as a whole.")
    )


def _documents() -> str:
    return (
        "## More\n\n`DATASHEET.md` answers the questions of a datasheet; `report.html` shows counts, gaps, duplicates, rejects and rows with "
        "pictures; `croissant.json` describes files and fields for machines; `manifest.json` lists every file with its checksum; `ATTRIBUTION.md` and `LICENSES.md` name everybody and every licence."
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A markdown table; bars and line breaks in a cell cannot break it."""
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
