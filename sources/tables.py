"""Metadata tables as published: bytes in, rows with line numbers out; every oddity becomes a `Reject` or names the file."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sources.record import Reject

DELIMITERS = ",;\t|"
BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class MetadataError(ValueError):
    """A table that cannot be read at all; the message names the file and what is wrong."""


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


def parse(source: str, name: str, data: bytes) -> Table:
    """Parse a delimited text file. Raises MetadataError for an empty file, repeated column names, or bytes that are no text."""
    text, encoding = _decode(name, data)
    rejects = []
    if encoding == "cp1252":
        rejects.append(Reject(source=source, native_id="", reason="encoding", detail=f"{name}: not UTF-8", repaired=True))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    header = _header(name, lines)
    rows = []
    for values in _fields(name, lines):
        if not any(value.strip() for value in values):
            continue
        if len(values) != len(header):
            detail = f"{name} line {lines.line_num}: {len(values)} fields, the header has {len(header)}"
            rejects.append(Reject(source=source, native_id=values[0].strip(), reason="row_malformed", detail=detail))
            continue
        rows.append(Row(lines.line_num, {key: value.strip() for key, value in zip(header, values, strict=True)}))
    return Table(name, tuple(rows), tuple(rejects))


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


def _header(name: str, lines: Iterator[list[str]]) -> list[str]:
    header = [column.strip() for column in next(lines, [])]
    repeated = sorted({column for column in header if header.count(column) > 1})
    if repeated:
        raise MetadataError(f"{name}: column {', '.join(repr(c) for c in repeated)} appears more than once")
    return header


def _fields(name: str, lines: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from lines
    except csv.Error as error:
        raise MetadataError(f"{name}: {error}") from error
