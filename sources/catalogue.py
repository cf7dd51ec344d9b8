"""The catalogue: one typed entry a set, from which partitions, licences, cards and documents derive.

`python -m sources.catalogue` lists the sets. A fact that was not read on the set's own page says "confirm" in its traps.
"""

import sys
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from sources.record import Modality

Access = Literal["built-in", "open", "registration", "agreement"]
Role = Literal["images", "table", "extra"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A published file. `url` is None where a person has to fetch it; `sha256` is None where none is published."""

    name: str
    role: Role
    url: str | None = None
    sha256: str | None = None
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One image set: what it is, what it permits, where it comes from, and what goes wrong with it."""

    name: str
    title: str
    version: str
    url: str
    citation: str
    licence_id: str
    attribution: str
    access: Access
    modality: Modality
    published_images: int
    reader: str
    files: tuple[SourceFile, ...] = ()
    groups: tuple[str, ...] = ()
    overlaps: tuple[str, ...] = ()
    traps: tuple[str, ...] = field(default=())


class UnknownSource(ValueError):
    """A name that the catalogue does not hold; the message lists the names and the closest."""


_ENTRIES = (
    Source(
        name="ham10000",
        title="HAM10000: dermatoscopic images of common pigmented skin lesions",
        version="2018-dataverse",
        url="https://doi.org/10.7910/DVN/DBW86T",
        citation="Tschandl P, Rosendahl C, Kittler H. Sci Data 5, 180161 (2018).",
        licence_id="CC-BY-NC-4.0",
        attribution="HAM10000, ViDIR Group, Department of Dermatology, Medical University of Vienna; Tschandl et al. 2018",
        access="open",
        modality=Modality.DERMOSCOPIC,
        published_images=10_015,
        reader="sources.ham10000",
        files=(
            SourceFile(name="HAM10000_images_part_1.zip", role="images"),
            SourceFile(name="HAM10000_images_part_2.zip", role="images"),
            SourceFile(name="HAM10000_metadata.csv", role="table"),
            SourceFile(name="HAM10000_segmentations_lesion_tschandl.zip", role="extra", required=False),
        ),
        groups=("lesion_id",),
        overlaps=("isic9", "isic2018", "isic2019"),
        traps=(
            "several images a lesion: split by lesion_id; no patient id is published",
            "label akiec joins actinic keratosis and intraepithelial carcinoma: it stays a group",
            "18 pairs of different lesion ids were later confirmed as one lesion",
            "licence as commonly stated: confirm on the landing page",
        ),
    ),
    Source(
        name="isic9",
        title="ISIC nine-class selection (repackaged, 180 x 180)",
        version="train-test-folders",
        url="https://www.isic-archive.com",
        citation="ISIC Archive, selection by a third party.",
        licence_id="LicenseRef-ISIC-Mixed",
        attribution="ISIC Archive contributors; the repackaged copy names none of them",
        access="open",
        modality=Modality.DERMOSCOPIC,
        published_images=2_357,
        reader="sources.isic9",
        files=(SourceFile(name="isic9.zip", role="images"),),
        overlaps=("ham10000", "bcn20000"),
        traps=(
            "licence and attribution of each image are lost: nothing of it is released",
            "the same file stands in several class folders with contradicting labels, and in Train and Test",
            "squashed to a square: aspect ratio is gone",
        ),
    ),
    Source(
        name="pad_ufes_20",
        title="PAD-UFES-20: smartphone images of skin lesions with clinical data",
        version="1",
        url="https://doi.org/10.17632/zr7vgbcyr2.1",
        citation="Pacheco A G C et al. Data in Brief 32, 106221 (2020).",
        licence_id="CC-BY-4.0",
        attribution="PAD-UFES-20, Federal University of Espírito Santo; Pacheco et al. 2020",
        access="open",
        modality=Modality.SMARTPHONE,
        published_images=2_298,
        reader="sources.pad_ufes_20",
        files=(
            SourceFile(name="imgs_part_1.zip", role="images"),
            SourceFile(name="imgs_part_2.zip", role="images", required=False),
            SourceFile(name="imgs_part_3.zip", role="images", required=False),
            SourceFile(name="metadata.csv", role="table"),
        ),
        groups=("patient_id", "lesion_id"),
        traps=(
            "images come in three archives; a mirror may hold only the first, and rows of the others are then quarantined",
            "the column is spelled fitspatrick; 804 rows are blank in every history field",
            "one photograph stands under two lesion ids of one patient",
            "PNG with an alpha channel; ink marks on some",
        ),
    ),
    Source(
        name="phantom",
        title="DermoForge phantoms: drawn lesions with known morphology",
        version="1",
        url="https://creativecommons.org/publicdomain/zero/1.0/",
        citation="Drawn by this project.",
        licence_id="CC0-1.0",
        attribution="DermoForge phantoms, drawn by a program; no person is depicted",
        access="built-in",
        modality=Modality.DERMOSCOPIC,
        published_images=356,
        reader="sources.phantom",
        groups=("patient_id", "lesion_id"),
        traps=("never mixed into a release of real images",),
    ),
)

SOURCES: dict[str, Source] = {entry.name: entry for entry in sorted(_ENTRIES, key=lambda entry: entry.name)}


def source(name: str) -> Source:
    """The entry of a set. Raises UnknownSource, with the closest name."""
    if name not in SOURCES:
        close = get_close_matches(name, SOURCES, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise UnknownSource(f"no source is called {name!r}{hint} Known: {', '.join(SOURCES)}")
    return SOURCES[name]


def main() -> None:
    """Print the catalogue as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "title", "images", "modality", "licence", "access", "files to provide", title="sources")
    for entry in SOURCES.values():
        files = ", ".join(file.name for file in entry.files if file.url is None and file.required) or "none"
        row = (
            entry.name,
            entry.title,
            f"{entry.published_images:,}",
            entry.modality,
            entry.licence_id,
            entry.access,
            files,
        )
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    main()
