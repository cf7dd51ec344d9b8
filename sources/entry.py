"""What the catalogue says about a set: the types of an entry. The entries stand in `sources.sets`, beside their readers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sources.record import Modality, ToneSystem

Access = Literal["built-in", "open", "registration", "agreement", "own"]
Role = Literal["images", "table", "extra"]
Status = Literal["real data run", "real rows run", "contract test", "drawn", "own data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A published file, or several when `name` holds a `*`.

    An archive may also stand unpacked, as a folder of its name without the extension. `url` is None where a person has to fetch
    it; `sha256` is None where none is published. `header` is a column name that marks the header line of a sheet which does not
    start with it; `columns` are the only ones worth reading, where a table has many others.
    """

    name: str
    role: Role
    url: str | None = None
    sha256: str | None = None
    required: bool = True
    header: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveQuery:
    """What to ask the ISIC Archive for: collections by (part of) their name, or a search; neither means everything."""

    collections: tuple[str, ...] = ()
    search: str = ""
    api: str = "https://api.isic-archive.com/api/v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One image set: what it is, what it permits, where it comes from, and what goes wrong with it.

    `published_images` is None where no number is published; `known_missing` of them are known not to be in the files.
    `licence_claims` are statements found in other places (where, licence id): the strictest of all wins. `annotates` names the
    sets whose images an annotation-only set speaks about. A `linked` set publishes an address an image instead of an archive.
    `options` are settings of a generic reader.
    """

    name: str
    title: str
    version: str
    url: str
    citation: str
    licence_id: str
    attribution: str
    access: Access
    modality: Modality | None
    published_images: int | None
    status: Status
    files: tuple[SourceFile, ...] = ()
    known_missing: int = 0
    licence_claims: tuple[tuple[str, str], ...] = ()
    groups: tuple[str, ...] = ()
    skin_tone: tuple[ToneSystem, ...] = ()
    overlaps: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()
    annotates: tuple[str, ...] = ()
    linked: bool = False
    query: ArchiveQuery | None = None
    reader: str = ""
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """The module that reads this set."""
        return self.reader or f"sources.sets.{self.name}"
