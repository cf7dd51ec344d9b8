"""What a reader gets to see of a set: its tables, the members of its archives, and their bytes when it asks."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sources.archives import Damage, Member
from sources.record import Reject
from sources.tables import MetadataError, Table, parse

Contents = Callable[[Sequence[Member]], Iterable[tuple[Member, bytes | Damage]]]


def _nothing(_: Sequence[Member]) -> Iterator[tuple[Member, bytes | Damage]]:
    yield from ()


@dataclass(frozen=True, slots=True)
class Link:
    """An image that is published by its own address: the member name it gets, and where it is."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one source. `contents` reads members (of any archive here) one at a time, in the order given."""

    source: str
    tables: Mapping[str, Table]
    members: Sequence[Member] = ()
    extras: Sequence[Member] = ()
    contents: Contents = _nothing
    rejects: list[Reject] = field(default_factory=list)
    """What fell out of tables that were read from inside an archive."""

    def table(self, name: str, *columns: str) -> Table:
        """The table of that file name, from a file or from inside an archive, with at least `columns`.

        Raises MetadataError when it is nowhere, unreadable, or lacks a column.
        """
        found = self.tables.get(name) or self._inside(name)
        if found is None:
            raise MetadataError(f"{self.source}: no table {name}; there are {', '.join(sorted(self.tables)) or 'none'}")
        found.need(*columns)
        return found

    def has_table(self, name: str) -> bool:
        """Whether `table(name)` would find one."""
        return name in self.tables or any(_is(member, name) for member in (*self.members, *self.extras))

    def images(self, *suffixes: str) -> list[Member]:
        """Members that are pictures by their extension (any usual one, or those given), in the order of the archives."""
        wanted = suffixes or PICTURES
        return [member for member in self.members if member.name.casefold().endswith(wanted)]

    def others(self, used: Iterable[Member]) -> list[Member]:
        """Members that are none of `used` and no table: what a reader has to account for as well."""
        names = {(member.archive, member.name) for member in used}
        return [m for m in self.members if (m.archive, m.name) not in names and not m.name.casefold().endswith(PAPERS)]

    def _inside(self, name: str) -> Table | None:
        member = next((member for member in (*self.members, *self.extras) if _is(member, name)), None)
        if member is None:
            return None
        for _, data in self.contents([member]):
            if isinstance(data, Damage):
                raise MetadataError(f"{self.source}: {member.archive}/{member.name}: {data.detail}")
            table = parse(self.source, name, data)
            self.rejects.extend(table.rejects)
            return table
        return None


PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jp2")
PAPERS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".json", ".md", ".pdf", ".html", ".docx", ".parquet", ".h5", ".db", ".ini")


def _is(member: Member, name: str) -> bool:
    return member.name == name or member.name.endswith(f"/{name}")
