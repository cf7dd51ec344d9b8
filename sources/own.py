"""Sets of your own, described in a TOML file that DERMOFORGE_OWN_SETS names: ten lines a set, no code.

[clinic]
title = "Mole clinic, 2019 to 2024"
location = "/data/clinic"            # a folder, or any URL that fsspec opens
images = "photos.zip"                # an archive, a folder, `*.tar` (WebDataset) or `data/*.parquet` (Hugging Face)
table = "visits.csv"                 # not for WebDataset and Parquet, which bring their own fields
links = "url"                        # instead of images: a column of the table that holds each image's address
modality = "dermoscopic"
licence = "LicenseRef-Own"           # nothing is released unless this names a licence that allows it
attribution = "Mole clinic, Exampletown"
[clinic.columns]
id = "file"                          # the column that names the image; the others are optional
diagnosis = "dx"
patient_id = "patient"
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields as fields_of
from pathlib import PurePosixPath
from typing import Any

import fsspec

from sources.archives import Damage, Member
from sources.entry import Role, Source, SourceFile
from sources.files import Files, Link
from sources.joins import join, stem
from sources.licences import LICENCES
from sources.parquets import ROW
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject
from sources.rows import Columns, image, stray
from sources.tables import Row, Table

VERSION = "1"
KEYS = {
    "links",
    "title",
    "location",
    "images",
    "table",
    "modality",
    "licence",
    "attribution",
    "columns",
    "url",
    "version",
    "published_images",
}
TEXT_COLUMNS = tuple(f.name for f in fields_of(Columns) if f.name not in ("basis", "history", "tone_basis"))
FIELD_FILES = (".json", ".txt", ".cls")
"""Members of a WebDataset sample that hold its fields; `.txt` is a caption, `.cls` a label."""


def own_sets(path: str) -> dict[str, Source]:
    """The sets that a file describes. Raises ValueError naming the file, the set and the key that is wrong."""
    try:
        with fsspec.open(path, "rb") as handle:
            described = tomllib.load(handle)  # type: ignore[arg-type]
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"DERMOFORGE_OWN_SETS {path}: {error}") from error
    return {name: _entry(path, name, facts) for name, facts in sorted(described.items())}


def _entry(path: str, name: str, facts: Any) -> Source:
    def wrong(what: str) -> ValueError:
        return ValueError(f"{path} [{name}]: {what}")

    if not isinstance(facts, dict):
        raise wrong("a set is a table of keys")
    if not name.isidentifier():
        raise wrong("a name is made of letters, digits and underscores")
    if unknown := sorted(facts.keys() - KEYS):
        raise wrong(f"no key {', '.join(unknown)}; there are {', '.join(sorted(KEYS))}")
    if missing := [key for key in ("location", "table" if "links" in facts else "images") if key not in facts]:
        raise wrong(f"{' and '.join(missing)} must be given")
    columns = facts.get("columns", {})
    if unknown := sorted(columns.keys() - {*TEXT_COLUMNS, "id", "history"}):
        raise wrong(f"columns has no {', '.join(unknown)}; there are id, history, {', '.join(TEXT_COLUMNS)}")
    licence = facts.get("licence", "LicenseRef-Own")
    if licence not in LICENCES:
        raise wrong(f"licence {licence!r} is not known; there are {', '.join(LICENCES)}")
    if facts.get("modality", "clinical close-up") not in list(Modality):
        raise wrong(f"modality {facts['modality']!r} is not one of {', '.join(Modality)}")
    roles: tuple[tuple[str, Role], ...] = (("images", "images"), ("table", "table"))
    files = tuple(SourceFile(name=str(facts[key]), role=role) for key, role in roles if key in facts)
    return Source(
        name=name,
        title=facts.get("title", name),
        version=str(facts.get("version", "1")),
        url=facts.get("url", ""),
        citation=facts.get("title", name),
        licence_id=licence,
        attribution=facts.get("attribution", facts.get("title", name)),
        access="own",
        modality=Modality(facts.get("modality", "clinical close-up")),
        published_images=facts.get("published_images"),
        status="own data",
        files=files,
        linked="links" in facts,
        reader="sources.own",
        options={"location": facts["location"], "columns": columns, "links": facts.get("links", "")},
    )


def links(files: Files, entry: Source) -> Iterator[Link]:
    """The address of every row that has one; the image gets the row's id as its name."""
    given: Any = entry.options.get("columns") or {}
    key, address = str(given.get("id", "id")), str(entry.options["links"])
    table = next(iter(files.tables.values()))
    table.need(key, address)
    for row in table.rows:
        name = row.values[key].rsplit("/", 1)[-1]
        if name and row.values[address]:
            yield Link(name if "." in name else f"{name}.jpg", row.values[address])


def read(files: Files, entry: Source) -> Iterator[ImageRecord | Reject]:
    """One record an image of a folder or archive with a table, of Parquet files, or of WebDataset shards."""
    given: Any = entry.options.get("columns") or {}
    archives = {member.archive for member in files.members}
    if any(name.casefold().endswith(".parquet") for name in archives):
        yield from _parquet(files, entry, given)
    elif files.tables:
        yield from _with_table(files, entry, given)
    elif any(member.name.casefold().endswith(FIELD_FILES) for member in files.members):
        yield from _webdataset(files, entry, given)
    else:
        yield from _folders(files, entry)


def _columns(given: Mapping[str, Any], has: Mapping[str, str]) -> Columns:
    """The named columns; those of the same name as a field when nothing is said about them."""
    named = {name: given.get(name) or (name if name in has else None) for name in TEXT_COLUMNS}
    return Columns(**{k: v for k, v in named.items() if v}, basis=BASIS, history=tuple(given.get("history", ())))


BASIS = {basis.value: basis for basis in DiagnosisBasis}


def _with_table(files: Files, entry: Source, given: Mapping[str, Any]) -> Iterator[ImageRecord | Reject]:
    table = next(iter(files.tables.values()))
    key = str(given.get("id", "id"))
    named = [str(name) for column, name in given.items() if column not in ("id", "history")]
    table.need(key, *named, *given.get("history", ()))
    pairs, rejects = join(entry.name, table, files.images(), lambda row: row.values[key].rsplit("/", 1)[-1])
    yield from rejects
    for row, member in pairs:
        native_id = row.values[key].rsplit("/", 1)[-1]
        native_id = native_id.rsplit(".", 1)[0] if stem(native_id) == stem(member.name) else native_id
        yield from _image(entry, table, row, member, given, native_id)


def _image(
    entry: Source, table: Table, row: Row, member: Member, given: Mapping[str, Any], native_id: str
) -> Iterator[ImageRecord | Reject]:
    modality = entry.modality or Modality.CLINICAL_CLOSE_UP
    yield from image(entry, table, row, member, _columns(given, row.values), native_id=native_id, modality=modality)


def _parquet(files: Files, entry: Source, given: Mapping[str, Any]) -> Iterator[ImageRecord | Reject]:
    """A row is an image; its id is the named column, or file and row."""
    for name, table in files.tables.items():
        members = {member.name: member for member in files.members if member.archive == name}
        key = given.get("id")
        if key:
            table.need(str(key))
        for row in table.rows:
            member = members[row.values[ROW]]
            native_id = row.values[str(key)] if key else f"{PurePosixPath(name).stem}/{row.values[ROW]}"
            yield from _image(entry, table, row, member, given, native_id)


def _webdataset(files: Files, entry: Source, given: Mapping[str, Any]) -> Iterator[ImageRecord | Reject]:
    """A sample is what shares a key: everything before the first dot of the file name, as WebDataset has it."""
    samples: dict[tuple[str, str], dict[str, str]] = {}
    for member, data in files.contents([m for m in files.members if m.name.casefold().endswith(FIELD_FILES)]):
        if isinstance(data, Damage):
            yield stray(entry, member, data.reason, data.detail)
            continue
        try:
            samples.setdefault(_key(member), {}).update(_fields(member.name, data))
        except ValueError as error:
            yield stray(entry, member, "row_malformed", str(error))
    for number, member in enumerate(files.images(), 1):
        values = samples.get(_key(member), {})
        table = Table(member.archive, (), ())
        yield from _image(
            entry, table, Row(number, values), member, given, values.get(str(given.get("id", "")), _key(member)[1])
        )


def _key(member: Member) -> tuple[str, str]:
    folder, _, name = member.name.rpartition("/")
    key = name.split(".", 1)[0]
    return member.archive, f"{folder}/{key}" if folder else key


def _fields(name: str, data: bytes) -> dict[str, str]:
    """Fields of a sample from one of its members. Raises ValueError for JSON that is no object."""
    import json

    text = data.decode("utf-8", errors="replace")
    suffix = name.casefold().rsplit(".", 1)[-1]
    if suffix == "txt":
        return {"caption": text.strip()}
    if suffix == "cls":
        return {"diagnosis": text.strip()}
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("the JSON of a sample is no object")
    return {
        str(k): "" if v is None else v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in found.items()
    }


def _folders(files: Files, entry: Source) -> Iterator[ImageRecord | Reject]:
    from sources import class_folders

    yield from class_folders.read(files, entry)
