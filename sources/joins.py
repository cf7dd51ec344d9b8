"""The join of metadata rows and archive members by id, written once: whatever finds no partner becomes a reject."""

from collections.abc import Callable, Iterable, Sequence

from sources.archives import Member
from sources.record import Reject
from sources.tables import Row, Table

Pairs = list[tuple[Row, Member]]


def stem(name: str) -> str:
    """The file name of a member without folders and extension, lower case: sets disagree on case between table and archive."""
    return name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0].casefold()


def join(source: str, table: Table, members: Sequence[Member], row_id: Callable[[Row], str]) -> tuple[Pairs, list[Reject]]:
    """Pairs of row and member with one id, in the order of ids, and a reject for every row and member left over.

    Of several rows (or members) with one id the first stays; the others are rejected by line (or archive).
    """
    rejects: list[Reject] = []
    rows = _first_rows(source, table, row_id, rejects)
    found = _first_members(source, members, rejects)
    pairs = [(rows[key], found[key]) for key in sorted(rows.keys() & found.keys())]
    for key in sorted(rows.keys() - found.keys()):
        detail = f"{table.name} line {rows[key].line}: no archive holds an image of this id"
        rejects.append(Reject(source=source, native_id=row_id(rows[key]), reason="row_without_image", detail=detail))
    unnamed = f"no row of {table.name} has this id"
    rejects += [member_reject(source, found[key], "image_without_row", unnamed) for key in sorted(found.keys() - rows.keys())]
    return pairs, rejects


def index(source: str, tables: Iterable[Table], row_id: Callable[[Row], str]) -> tuple[dict[str, Row], list[Reject]]:
    """The rows of several tables by id, and a reject for each row without an id or with one that was there before."""
    rows: dict[str, Row] = {}
    rejects: list[Reject] = []
    for table in tables:
        for key, row in _first_rows(source, table, row_id, rejects).items():
            rows.setdefault(key, row)
    return rows, rejects


def families(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The smallest id that each id is paired with, directly or through others."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return {name: root(name) for name in parent}


def _first_rows(source: str, table: Table, row_id: Callable[[Row], str], rejects: list[Reject]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for row in table.rows:
        key = stem(row_id(row))
        if not key:
            detail = f"{table.name} line {row.line}: no id"
            rejects.append(Reject(source=source, native_id="", reason="row_malformed", detail=detail))
        elif key in rows:
            how = "the same values" if rows[key].values == row.values else "other values"
            detail = f"{table.name} line {row.line}: {how} as line {rows[key].line}, which is used"
            rejects.append(Reject(source=source, native_id=row_id(row), reason="duplicate_row", detail=detail))
        else:
            rows[key] = row
    return rows


def _first_members(source: str, members: Iterable[Member], rejects: list[Reject]) -> dict[str, Member]:
    found: dict[str, Member] = {}
    for member in sorted(members, key=lambda m: (m.archive, m.name)):
        first = found.setdefault(stem(member.name), member)
        if first is not member:
            rejects.append(
                member_reject(source, member, "duplicate_member", f"{first.archive}/{first.name} has this id and is used")
            )
    return found


def member_reject(source: str, member: Member, reason: str, detail: str, *, repaired: bool = False) -> Reject:
    """The reject of a member, under the id that its name gives."""
    return Reject(
        source=source,
        native_id=stem(member.name),
        reason=reason,
        detail=f"{member.archive}/{member.name}: {detail}",
        archive=member.archive,
        member=member.name,
        repaired=repaired,
    )


def unparsed(source: str, table: str, row: Row, member: Member, native_id: str, column: str) -> Reject:
    """The note that one value of a row was not understood; the image is kept and the field stays empty."""
    return Reject(
        source=source,
        native_id=native_id,
        reason="field_unparsed",
        detail=f"{table} line {row.line}: {column} {row.values[column]!r}",
        archive=member.archive,
        member=member.name,
        repaired=True,
    )
