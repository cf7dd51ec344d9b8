"""Metadata tables as published: bytes in, rows with line numbers out; every oddity becomes a `Reject` or names the file."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sources.record import Reject

DELIMITERS = ",;\t|"
MAX_SHEET_BYTES = 256 << 20
"""Unpacked bytes of a workbook: twenty times the largest published one."""
BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class MetadataError(ValueError):
    """A table that cannot be read at all; the message names the file and what is wrong."""


class Values(Mapping[str, str]):
    """One row's values by column; the columns are shared by all rows of a table, so that a row costs its strings only."""

    __slots__ = ("_at", "_cells")

    def __init__(self, at: Mapping[str, int], cells: Sequence[str]) -> None:
        self._at, self._cells = at, cells

    def __getitem__(self, column: str) -> str:
        return self._cells[self._at[column]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._at)

    def __len__(self) -> int:
        return len(self._at)

    def __repr__(self) -> str:
        return repr(dict(self))


@dataclass(frozen=True, slots=True)
class Row:
    """One data row: its line in the file (1 is the header) and its values, trimmed, by column."""

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A parsed table: good rows, and a reject for each malformed one."""

    name: str
    rows: tuple[Row, ...]
    rejects: tuple[Reject, ...]

    def need(self, *columns: str) -> None:
        """Raises MetadataError, naming all columns that are missing, unless each of `columns` is there."""
        missing = [column for column in columns if self.rows and column not in self.rows[0].values]
        if missing:
            raise MetadataError(f"{self.name}: no column {', '.join(missing)}; it has {', '.join(self.rows[0].values)}")


def parse(source: str, name: str, data: bytes, header: str = "", keep: Sequence[str] = ()) -> Table:
    """Parse delimited text or the first sheet of a workbook, with `header` as a column of the header line (default: the first line).

    Columns without a name (saved indexes) are left out, and so are all but `keep` where it names some. Raises MetadataError for an empty file, repeated column names, or bytes
    that are neither.
    """
    rejects: list[Reject] = []
    if name.casefold().endswith((".xlsx", ".xls")):
        lines = enumerate(_sheet(name, data), 1)
    else:
        text, encoding = _decode(name, data)
        if encoding == "cp1252":
            rejects.append(Reject(source=source, native_id="", reason="encoding", detail=f"{name}: not UTF-8", repaired=True))
        lines = _lines(name, text)
    columns = _header(name, lines, header)
    places = [place for place, column in enumerate(columns) if column and (not keep or column in keep)]
    at = {columns[place]: number for number, place in enumerate(places)}
    same: dict[str, str] = {}  # sexes, sites and labels repeat on every row: each is held once
    rows = []
    for number, values in lines:
        if not any(value.strip() for value in values):
            continue
        if len(values) != len(columns):
            detail = f"{name} line {number}: {len(values)} fields, the header has {len(columns)}"
            rejects.append(Reject(source=source, native_id=values[0].strip(), reason="row_malformed", detail=detail))
            continue
        cells = (values[place].strip() for place in places)
        rows.append(Row(number, Values(at, tuple(same.setdefault(cell, cell) for cell in cells))))
    return Table(name, tuple(rows), tuple(rejects))


def _lines(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        for values in reader:
            yield reader.line_num, values
    except csv.Error as error:
        raise MetadataError(f"{name} line {reader.line_num}: {error}") from error


def _sheet(name: str, data: bytes) -> Iterator[list[str]]:
    """Cells of the first sheet as text. A workbook that unpacks to more than `MAX_SHEET_BYTES` is refused unread."""
    import zipfile

    from python_calamine import CalamineError, CalamineWorkbook

    try:
        if data.startswith(b"PK") and sum(i.file_size for i in zipfile.ZipFile(io.BytesIO(data)).infolist()) > MAX_SHEET_BYTES:
            raise MetadataError(f"{name}: the workbook unpacks to more than {MAX_SHEET_BYTES:,} bytes")
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheet = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, zipfile.BadZipFile, ValueError, IndexError, OSError) as error:
        if isinstance(error, MetadataError):
            raise
        raise MetadataError(f"{name}: not a readable workbook ({error})") from error
    yield from ([_cell(value) for value in line] for line in sheet)


def _cell(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _decode(name: str, data: bytes) -> tuple[str, str]:
    if not data.strip():
        raise MetadataError(f"{name}: the file is empty")
    if data[:4] in (b"PK\x03\x04", b"%PDF", b"\x89PNG"):
        raise MetadataError(f"{name}: not a text table (it starts with {data[:4]!r})")
    marked = next((codec for mark, codec in BYTE_ORDER_MARKS if data.startswith(mark)), None)
    for codec in [marked] if marked else ["utf-8", "cp1252"]:
        try:
            return data.decode(codec).replace("\0", ""), codec
        except UnicodeDecodeError:
            continue
    # cp1252 leaves five bytes undefined; latin-1 gives every byte a character, and the caller is told either way.
    return data.decode("latin-1").replace("\0", ""), "cp1252"


def _delimiter(text: str) -> str:
    head = text.split("\n", 1)[0]
    return max(DELIMITERS, key=lambda mark: (head.count(mark), -DELIMITERS.index(mark)))


def _header(name: str, lines: Iterator[tuple[int, list[str]]], wanted: str) -> list[str]:
    for _, cells in lines:
        columns = [" ".join(cell.split()) for cell in cells]
        if (wanted in columns) if wanted else True:
            break
    else:
        raise MetadataError(f"{name}: no line has a column {wanted!r}" if wanted else f"{name}: no header line")
    repeated = sorted({column for column in columns if column and columns.count(column) > 1})
    if repeated:
        raise MetadataError(f"{name}: column {', '.join(repr(c) for c in repeated)} appears more than once")
    return columns
