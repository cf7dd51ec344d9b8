"""DATASHEET.md of a release: the questions of Gebru et al. (2021), Datasheets for Datasets, in our words, answered from data.

What only people can answer (who paid, who is in charge) is left as a question for whoever publishes, and says so.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.card import table
from pipelines.report.facts import Branch, Count, Facts
from quality.image_gates import ACTIONS
from quality.thresholds import SPLIT_SHARES
from sources.catalogue import source as catalogue_entry
from sources.licences import LICENCES
from sources.record import REASONS

OPEN = "*To be answered by whoever publishes this release.*"


def datasheet(head: Mapping[str, Any], told: Facts) -> str:
    """The whole file. `head` is the manifest without its files."""
    parts = [
        f"# Datasheet of DermoForge {head['version']}",
        _section("Motivation", _motivation(head)),
        _section("Composition", _composition(head, told)),
        _section("Collection", _collection(head)),
        _section("Preparation and labelling", _preparation(head, told)),
        _section("Uses", _uses(head)),
        _section("Distribution", _distribution(head)),
        _section("Maintenance", _maintenance(head)),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, answers: Mapping[str, str]) -> str:
    return "\n\n".join([f"## {title}", *(f"**{question}**\n\n{answer}" for question, answer in answers.items())])


def _motivation(head: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Why was it made?": "To train and test models that describe skin lesions by their morphology and argue from findings to a "
        "diagnosis, with every sentence checked and every image's licence kept.",
        "Who made it, and who paid for it?": OPEN,
        "Is it about real people?": "No: lesions were drawn by a program."
        if head["name"] == "phantom"
        else "The images show skin of people, as the sources published them. The text was generated.",
    }


def _composition(head: Mapping[str, Any], told: Facts) -> dict[str, str]:
    counts = told.counts
    samples = [[cell.split("/")[0], cell.split("/")[1], f"{count:,}"] for cell, count in head["samples"].items()]
    return {
        "What is one instance?": "One image with the turns of one conversation about it, in one of five formats; the source's diagnosis, "
        "its path in the ontology, licence, attribution, and who wrote the text.",
        "How many are there?": table(["format", "split", "samples"], samples),
        "Is it everything, or a selection?": f"A selection. The lake held {sum(counts['images'].values()):,} images; "
        f"{sum(head['images'].values()):,} are here. Withheld: {listed(head['withheld_images'])}. Trajectories by outcome: "
        f"{listed(counts['trajectories'])}.",
        "What does the data consist of?": _spread(told),
        "Is there a label?": "The diagnosis of the source, mapped to an ontology and never made more precise. It rests on: "
        f"{listed_counts(told.dimensions['basis of the diagnosis'])}. The largest groups: {_groups(told.tree)}.",
        "Is anything missing?": _missing(told),
        "Are instances related?": f"Yes. {counts['groups']['groups']:,} groups hold images of one lesion, one patient, copies and shared archive "
        f"ids; no group crosses a split. Pairs by kind and verdict: {listed(counts['pairs'])}.",
        "Are there recommended splits?": f"Yes: {listed(head['images'])} images, aimed at {_percent()} in every stratum of source and diagnosis.",
        "Are there errors and noise?": f"Inputs left out: {_reasons(counts['quarantined'])}. Mended: {_reasons(counts['repaired'])}. Pictures on "
        f"which a gate fired: {_gates(counts['image_gates'])}. {_conflicts(counts)} Generated text passes rules that find only part of what is "
        "wrong; the card gives the share for each.",
        "Does it contain confidential, identifying or offensive matter?": "Metadata of the files was removed and file names were replaced. "
        "Pictures with a face or printed text are held back until a person has cleared them; the detectors miss some (see the card). "
        "Pictures of disease may distress.",
        "Does it name sub-populations?": _people(told),
    }


def _spread(told: Facts) -> str:
    rows = [[name, listed_counts(counts)] for name, counts in told.dimensions.items()]
    return "Images in the lake, and in brackets those of them in this release:\n\n" + table(["by", "images (released)"], rows)


def listed(counts: Mapping[str, int]) -> str:
    """Counts in a sentence."""
    return "; ".join(f"{name}: {count:,}" for name, count in counts.items()) or "none"


def listed_counts(counts: Iterable[Count]) -> str:
    """Images by value in a sentence, released ones in brackets."""
    return "; ".join(f"{count.name}: {count.images:,} ({count.released:,})" for count in counts) or "none"


def _groups(tree: Iterable[Branch]) -> str:
    return "; ".join(f"{branch.name}: {branch.images:,}" for branch in list(tree)[:6])


def _percent() -> str:
    return ", ".join(f"{split} {100 * share:.0f} %" for split, share in SPLIT_SHARES.items())


def _reasons(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{reason}: {count:,}, {REASONS.get(reason, '')}" for reason, count in counts.items()) or "none"


def _gates(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{code}: {count:,} ({ACTIONS[code]})" for code, count in counts.items()) or "none"


def _conflicts(counts: Mapping[str, Any]) -> str:
    number = counts["groups"].get("images conflicting label", 0)
    return f"{number:,} images belong to copies whose labels contradict one another."


def _missing(told: Facts) -> str:
    """Fields that sources leave empty, from the data."""
    gaps = {
        name: count.images
        for name, counts in told.dimensions.items()
        for count in counts
        if count.name in ("not stated", "unknown")
    }
    toned = max((sum(count.images for count in counts) for counts in told.tones.values()), default=0)
    said = "; ".join(f"{name}: {count:,} images without" for name, count in gaps.items()) or "no field is empty"
    return f"{said}; skin tone: at most {toned:,} images have a statement on any one scale."


def _people(told: Facts) -> str:
    tones = [f"skin tone on the scale {system}: {listed_counts(counts)}" for system, counts in told.tones.items()]
    parts = [f"sex: {listed_counts(told.dimensions['sex'])}", f"age: {listed_counts(told.dimensions['age'])}", *tones]
    return (
        "By " + ". By ".join(parts) + ". Tone scales are never converted into one another; `report.html` names the empty cells."
    )


def _collection(head: Mapping[str, Any]) -> dict[str, str]:
    rows = [
        [
            name,
            catalogue_entry(name).title,
            catalogue_entry(name).citation,
            head["sources"][name]["version"],
            catalogue_entry(name).url,
        ]
        for name in head["sources"]
    ]
    traps = [f"- {name}: {trap}" for name in head["sources"] for trap in catalogue_entry(name).traps]
    return {
        "How were the images acquired?": "By those who published these sets; their papers say how, when and with whose consent:\n\n"
        + table(["set", "title", "citation", "version", "address"], rows),
        "Who was asked, and was there an ethical review?": "That is answered by the publishers of each set. No person was contacted for this release.",
        "What is known to be wrong with them?": "\n".join(traps) or "Nothing that the catalogue knows of.",
    }


def _preparation(head: Mapping[str, Any], told: Facts) -> dict[str, str]:
    answers = sum(entry["answers"] for entry in head["asked"])
    teachers = sorted({f"{entry['teacher']} {entry['revision']}" for entry in head["asked"]})
    return {
        "What was done to the images?": "Decoded, turned upright, stripped of metadata; an upright RGB JPEG keeps its compressed pixels, anything "
        "else is encoded once at quality 95.",
        "Who wrote the text?": f"{', '.join(teachers) or 'nobody'}: {answers:,} accepted answers. The card lists stage, prompt version, schema and "
        "sampling. No crowd worker was involved.",
        "How was it checked?": f"By rule: {len(told.checks)} checks were made on this corpus. Rejected, by reason: {listed(told.counts['rejects'])}.",
        "Is what was thrown away kept?": "Yes, in the tables `quarantine` and `rejects` of the lake, with every reason; not in this release.",
    }


def _uses(head: Mapping[str, Any]) -> dict[str, str]:
    return {
        "What is it for?": "Training and evaluation of multimodal models on morphology, reasoning and diagnosis; research on generated supervision.",
        "What should it not be used for?": "The care of patients; statements about groups that are missing here; identifying people; passing the "
        "texts off as a dermatologist's.",
        "Could its making harm someone?": "Diagnoses and skin tones are unevenly covered, so a model trained on it will be worse where it is thin. "
        "The heat maps of `report.html` show where.",
        "Are there restrictions?": f"Licence profile `{head['profile']}`: {listed_licences(head)}.",
    }


def listed_licences(head: Mapping[str, Any]) -> str:
    """Each licence with what it permits."""
    used = sorted({licence for licences in head["licences"].values() for licence in licences})
    return "; ".join(f"{licence}: {LICENCES[licence].permits()}" for licence in used)


def _distribution(head: Mapping[str, Any]) -> dict[str, str]:
    return {
        "How is it distributed?": "As Parquet, WebDataset and trainer files with a manifest of checksums; `croissant.json` describes them.",
        "Under which licence?": "Each row names its image's licence and whom to credit; the card has the table. The code that made it is Apache-2.0.",
        "Where and when?": OPEN,
    }


def _maintenance(head: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Who maintains it, and how can they be reached?": OPEN,
        "Will it be updated?": f"A new release has a new name, which is a digest of its content (this one: `{head['version']}`). Images keep their split.",
        "Can older versions be had?": "A published version stays under its tag.",
        "How does one have an image removed?": "Ask whoever publishes it; an id taken out of the source's list is gone with the next release.",
    }
