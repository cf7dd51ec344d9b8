"""Sets whose only label is a folder: `<part>/<class>/<file>` at any depth, the class being the last folder.

Options of an entry: `parts` (folder names that are a split, kept as `series`), `skip` (folders that are no class), `patient` (a regular
expression on the file name whose first group is the patient), `copy` (one whose first group is the name of the original), `split_class`
(what to cut off a class name).
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from sources.archives import Member
from sources.entry import Source
from sources.files import Files
from sources.record import DiagnosisBasis, ImageRecord, Modality, Reject
from sources.rows import stray

VERSION = "1"


def read(files: Files, entry: Source) -> Iterator[ImageRecord | Reject]:
    """One record a picture; its id is its path without the archive's outer folder and the extension."""
    pictures = files.images()
    outer = _outer(pictures)
    yield from (stray(entry, member, "not_a_photograph", "no picture by its extension") for member in files.others(pictures))
    for member in pictures:
        path = PurePosixPath(member.name.removeprefix(outer))
        label = _label(entry, path)
        if label is None:
            yield stray(entry, member, "image_without_row", "it lies in no class folder")
            continue
        yield _record(entry, member, path, label)


def _outer(members: list[Member]) -> str:
    """The one folder that all members lie in, if it holds class folders only; otherwise nothing."""
    tops = {member.name.split("/", 1)[0] for member in members}
    if len(tops) != 1 or not all(member.name.count("/") >= 2 for member in members):
        return ""
    return f"{tops.pop()}/"


def _label(entry: Source, path: PurePosixPath) -> str | None:
    """The innermost folder that is a class."""
    no_class = {*_words(entry, "parts"), *_words(entry, "skip")}
    folders = [part for part in path.parts[:-1] if part.casefold() not in no_class]
    if not folders:
        return None
    label = re.sub(str(entry.options.get("split_class") or r"(?!)"), "", folders[-1])
    return re.sub(r"[_\s]+", " ", label).strip() or None


def _words(entry: Source, option: str) -> set[str]:
    given = entry.options.get(option)
    return {str(word).casefold() for word in given} if isinstance(given, list | tuple) else set()


def _found(entry: Source, option: str, stem: str) -> str | None:
    pattern = entry.options.get(option)
    match = re.search(str(pattern), stem) if pattern else None
    return match[1] if match else None


def _record(entry: Source, member: Member, path: PurePosixPath, label: str) -> ImageRecord:
    original = _found(entry, "copy", path.stem)
    patient = _found(entry, "patient", original or path.stem)
    series = next((part for part in path.parts if part.casefold() in _words(entry, "parts")), None)
    # A family is known by its original's name wherever copies are shipped; elsewhere nothing is said.
    lineage = f"{label}/{original or path.stem}".casefold() if entry.options.get("copy") else None
    return ImageRecord(
        source=entry.name,
        native_id=str(path.with_suffix("")),
        archive=member.archive,
        member=member.name,
        modality=entry.modality or Modality.CLINICAL_CLOSE_UP,
        licence_id=entry.licence_id,
        attribution=entry.attribution,
        diagnosis_raw=label,
        diagnosis_basis=DiagnosisBasis(str(entry.options.get("basis") or DiagnosisBasis.UNKNOWN)),
        patient_id=patient,
        series=series,
        lineage=lineage,
    )
