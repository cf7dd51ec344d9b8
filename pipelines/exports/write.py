"""All exports of a release written, read back from their files, and checked by each loader's rules. Memory: one row of each file.

A JSON array has a row a line, so that it is read back line by line; a loader reads the same text whole.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.exports import companion, llama_factory, swift, trl, verl
from pipelines.exports.rules import ExportFault, rewarded

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Export:
    """One file of each split: where it goes, how a sample becomes a row, and the loader's rules for a row that was read back."""

    path: str
    row: Callable[[Mapping[str, Any]], Row]
    checked: Callable[[Row], Row]
    rewarded: bool = False


EXPORTS = (
    Export("sft/{split}.json", companion.sft_row, companion.checked),
    Export("grpo/{split}.jsonl", companion.grpo_row, companion.checked_grpo, rewarded=True),
    Export("trl/sft-{split}.jsonl", trl.sft_row, trl.checked),
    Export("trl/grpo-{split}.jsonl", trl.grpo_row, trl.checked_grpo, rewarded=True),
    Export("llama_factory/{split}.json", llama_factory.sft_row, llama_factory.checked),
    Export("swift/sft-{split}.jsonl", swift.sft_row, swift.checked),
    Export("swift/grpo-{split}.jsonl", swift.grpo_row, swift.checked_grpo, rewarded=True),
    Export("verl/{split}.parquet", verl.grpo_row, verl.checked, rewarded=True),
)
"""Below `trainer/`, beside the image tree."""

ROW_GROUP = 100
"""Rows of a Parquet row group."""


def write_exports(root: Path, rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Write every export of every split below `root`; returns rows by path. The images must be there, and `rows` lie split by split.

    Raises ExportFault naming file and row, and ValueError for a split that comes twice.
    """
    written: dict[str, int] = {}
    splits: list[str] = []
    for split, mine in groupby(rows, key=lambda row: row["split"]):
        if split in splits:
            raise ValueError(f"rows of {split} do not lie together")
        splits.append(split)
        files = {export: f"trainer/{export.path.format(split=split)}" for export in EXPORTS}
        for export in _write_split(root, files, mine):
            written[files[export]] = check_file(root, files[export], export)
    if splits:
        info = json.dumps(llama_factory.dataset_info(sorted(splits)), indent=1, sort_keys=True) + "\n"
        (root / "trainer/llama_factory/dataset_info.json").write_text(info, encoding="utf-8")
    return written


def _write_split(root: Path, files: Mapping[Export, str], rows: Iterable[Mapping[str, Any]]) -> list[Export]:
    """Fill the files of one split in one pass; the exports that got a row."""
    sinks: dict[Export, _Array | _Lines | _Table] = {}
    with ExitStack() as open_files:
        for row in rows:
            for export, name in files.items():
                if export.rewarded and not rewarded(row):
                    continue
                if export not in sinks:
                    sinks[export] = open_files.enter_context(_sink(root / name))
                sinks[export].add(_made(export, name, row))
    return list(sinks)


def _made(export: Export, name: str, row: Mapping[str, Any]) -> Row:
    try:
        return export.row(row)
    except ExportFault as fault:
        raise ExportFault(f"{name}: {fault}") from None


class _Lines:
    """JSON lines."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, row: Row) -> None:
        """Write a row."""
        self._file.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")


class _Array:
    """A JSON array with a row a line."""

    def __init__(self, path: Path) -> None:
        self._file, self._before = path.open("w", encoding="utf-8"), "[\n"

    def __enter__(self) -> "_Array":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.write("\n]\n")
        self._file.close()

    def add(self, row: Row) -> None:
        """Write a row."""
        self._file.write(self._before + json.dumps(row, ensure_ascii=False, sort_keys=True))
        self._before = ",\n"


class _Table:
    """Parquet in row groups of `ROW_GROUP`."""

    def __init__(self, path: Path) -> None:
        self._writer, self._held = pq.ParquetWriter(path, verl.SCHEMA, compression="zstd"), list[Row]()

    def __enter__(self) -> "_Table":
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._writer.close()

    def add(self, row: Row) -> None:
        """Hold a row; a full group is written."""
        self._held.append(row)
        if len(self._held) == ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.Table.from_pylist(self._held, schema=verl.SCHEMA))
            self._held = []


def _sink(path: Path) -> _Array | _Lines | _Table:
    path.parent.mkdir(parents=True, exist_ok=True)
    return {".parquet": _Table, ".json": _Array, ".jsonl": _Lines}[path.suffix](path)


def read(path: Path) -> list[Row]:
    """The rows of an export."""
    return list(_rows(path))


def _rows(path: Path) -> Iterator[Row]:
    """The rows of an export in the order of the file: lines of an array, lines, or row groups."""
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        for n in range(file.num_row_groups):
            yield from file.read_row_group(n).to_pylist()
        return
    # Not splitlines(): text may hold line separators that JSON leaves as they are.
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            text = line.rstrip("\n").removesuffix(",")
            if text not in ("[", "]", ""):
                yield json.loads(text)


def check_file(root: Path, name: str, export: Export) -> int:
    """Number of rows of a written export. Raises ExportFault with file, row and rule; an image that is not there is one."""
    count = 0
    for number, row in enumerate(_rows(root / name)):
        try:
            export.checked(row)
            for path in _images(row):
                if not (root / "trainer" / path).is_file():
                    raise ExportFault(f"{row.get('id', number)}: {path} is not in the image tree")
        except ExportFault as fault:
            raise ExportFault(f"{name} row {number}: {fault}") from None
        except (KeyError, TypeError, ValueError) as error:
            raise ExportFault(f"{name} row {number}: {type(error).__name__}: {error}") from error
        count += 1
    return count


def _images(row: Row) -> list[str]:
    shown = row.get("images", row.get("image"))
    shown = [shown] if isinstance(shown, str) else shown or []
    return [one["image"] if isinstance(one, dict) else one for one in shown]
