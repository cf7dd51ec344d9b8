"""Croissant metadata of a release (JSON-LD, version 1.0): every file with size and checksum, and a record set a format.

Written as plain JSON: `mlcroissant` reads and validates it in the tests, and nobody needs it to make a release.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from prompts.formats import FORMATS
from sources.catalogue import source as catalogue_entry
from sources.licences import LICENCES, carries_images

KINDS = {
    ".parquet": "application/x-parquet",
    ".tar": "application/x-tar",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".md": "text/markdown",
    ".html": "text/html",
    ".py": "text/x-python",
}

FIELDS: dict[str, tuple[str, str]] = {
    "id": ("sc:Text", "content id of the sample"),
    "image_id": ("sc:Text", "content id of the image; no file name of a source"),
    "format": ("sc:Text", "one of the five formats"),
    "split": ("sc:Text", "train, validation or test"),
    "source": ("sc:Text", "the image set that the image is from"),
    "diagnosis": ("sc:Text", "the source's diagnosis as a name of the ontology"),
    "ground_truth": ("sc:Text", "JSON that a reward compares with, where the format has one"),
    "weight": ("sc:Float", "how often a sampler should draw the row, relative to one of the commonest diagnosis"),
    "generated": ("sc:Boolean", "always true: no text was written by a person"),
    "teacher": ("sc:Text", "who wrote the text"),
    "teacher_revision": ("sc:Text", "its revision"),
    "conditioning": ("sc:Text", "what the teacher was told of the diagnosis"),
    "verified_by": ("sc:Integer", "people who looked at the row and accepted it"),
    "licence": ("sc:Text", "licence of the image"),
    "attribution": ("sc:Text", "whom to name"),
}
"""Columns of a Parquet row by type and meaning."""

NESTED: dict[str, tuple[str, str, str, str]] = {
    "images": ("sc:ImageObject", "images", "bytes", "the image, as JPEG"),
    "taxon_path": ("sc:Text", "taxon_path", "", "names above the diagnosis, top-down"),
    "roles": ("sc:Text", "messages", "role", "who speaks, turn by turn: user or assistant"),
    "texts": ("sc:Text", "messages", "content[-1:].text", "what is said, turn by turn; the first turn also shows the image"),
}
"""Columns that hold lists: type, column, what is taken of each item, meaning."""

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of the Croissant 1.0 specification."""


def croissant(head: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> str:
    """The JSON-LD of a release. `files` are manifest entries; the images of the trainer exports are one file set, not one entry each."""
    formats = [name for name in FORMATS if any(cell.startswith(f"{name}/") for cell in head["samples"])]
    licences = sorted({licence for mine in head["licences"].values() for licence in mine})
    listed = [entry for entry in files if not entry["path"].startswith("trainer/images/")]
    data = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": head["version"],
        "description": _description(head),
        "version": _version(head),
        "license": [LICENCES[licence].url or licence for licence in licences],
        "citeAs": "; ".join(catalogue_entry(name).citation for name in head["sources"]),
        "creator": [
            {"@type": "sc:Organization", "name": text} for name in head["sources"] for text in head["attributions"][name]
        ],
        "inLanguage": "en",
        "isLiveDataset": False,
        "isBasedOn": [catalogue_entry(name).url for name in head["sources"]],
        "distribution": [*(_file(entry) for entry in listed), *(_file_set(name) for name in formats)],
        "recordSet": [_record_set(name, images=carries_images(head["profile"])) for name in formats],
        "rai:dataCollection": "Images of published sets, decoded and stripped of metadata; text generated by the teacher named in the card.",
        "rai:dataLimitations": "Generated text, checked by rule; the card states what share of planted faults each check finds.",
        "rai:dataUseCases": "Research on multimodal models. Not for the care of patients.",
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _description(head: Mapping[str, Any]) -> str:
    return (
        f"{sum(head['samples'].values()):,} generated instruction samples about {sum(head['images'].values()):,} images of "
        f"{', '.join(head['sources'])}; licence profile {head['profile']}."
    )


def _version(head: Mapping[str, Any]) -> str:
    """Croissant wants three numbers; the layout is the first, the content's digest stands in the name."""
    return f"{head['layout']}.0.0"


def _file(entry: Mapping[str, Any]) -> dict[str, Any]:
    suffix = "." + entry["path"].rsplit(".", 1)[-1]
    return {
        "@type": "cr:FileObject",
        "@id": entry["path"],
        "name": entry["path"].rsplit("/", 1)[-1],
        "contentUrl": entry["path"],
        "contentSize": f"{entry['bytes']} B",
        "encodingFormat": KINDS.get(suffix, "application/octet-stream"),
        "sha256": entry["sha256"],
    }


def _file_set(name: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{name}-parquet",
        "name": f"{name}-parquet",
        "description": f"The Parquet files of the format {name}.",
        "encodingFormat": KINDS[".parquet"],
        "includes": f"data/{name}/*.parquet",
    }


def _record_set(name: str, *, images: bool) -> dict[str, Any]:
    fields = [_field(name, field, field, kind, about) for field, (kind, about) in FIELDS.items()]
    for field, (kind, column, part, about) in NESTED.items():
        if images or field != "images":
            fields.append({**_field(name, field, column, kind, about, part), "repeated": True})
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"Samples of the format {name}.",
        "key": {"@id": f"{name}/id"},
        "field": fields,
    }


def _field(name: str, field: str, column: str, kind: str, about: str, part: str = "") -> dict[str, Any]:
    source: dict[str, Any] = {"fileSet": {"@id": f"{name}-parquet"}, "extract": {"column": column}}
    if part:
        source["transform"] = {"jsonPath": part}
    return {
        "@type": "cr:Field",
        "@id": f"{name}/{field}",
        "name": field,
        "description": about,
        "dataType": kind,
        "source": source,
    }
