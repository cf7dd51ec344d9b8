"""All exports of a release written, read back from their files, and checked by each loader's rules. Memory: the text of one split."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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


def write_exports(root: Path, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Write every export of every split below `root`; returns rows by path. The images must be there.

    Raises ExportFault naming file and row.
    """
    written: dict[str, int] = {}
    splits = sorted({row["split"] for row in rows})
    for split in splits:
        mine = sorted((row for row in rows if row["split"] == split), key=lambda row: row["sample_id"])
        for export in EXPORTS:
            name = f"trainer/{export.path.format(split=split)}"
            chosen = [row for row in mine if not export.rewarded or rewarded(row)]
            if chosen:
                _write(root / name, (_made(export, name, row) for row in chosen))
                written[name] = check_file(root, name, export)
    if splits:
        info = json.dumps(llama_factory.dataset_info(splits), indent=1, sort_keys=True) + "\n"
        (root / "trainer/llama_factory/dataset_info.json").write_text(info, encoding="utf-8")
    return written


def _made(export: Export, name: str, row: Mapping[str, Any]) -> Row:
    try:
        return export.row(row)
    except ExportFault as fault:
        raise ExportFault(f"{name}: {fault}") from None


def _write(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows), schema=verl.SCHEMA), path, compression="zstd", row_group_size=100)
        return
    lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows]
    text = "[\n" + ",\n".join(lines) + "\n]\n" if path.suffix == ".json" else "\n".join(lines) + "\n"
    path.write_text(text, encoding="utf-8")


def read(path: Path) -> list[Row]:
    """The rows of an export as its loader reads the file: an array, lines, or Parquet."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    text = path.read_text(encoding="utf-8")
    # Not splitlines(): text may hold line separators that JSON leaves as they are.
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.split("\n") if line]


def check_file(root: Path, name: str, export: Export) -> int:
    """Number of rows of a written export. Raises ExportFault with file, row and rule; an image that is not there is one."""
    rows = read(root / name)
    for number, row in enumerate(rows):
        try:
            export.checked(row)
            for path in _images(row):
                if not (root / "trainer" / path).is_file():
                    raise ExportFault(f"{row.get('id', number)}: {path} is not in the image tree")
        except ExportFault as fault:
            raise ExportFault(f"{name} row {number}: {fault}") from None
        except (KeyError, TypeError, ValueError) as error:
            raise ExportFault(f"{name} row {number}: {type(error).__name__}: {error}") from error
    return len(rows)


def _images(row: Row) -> list[str]:
    shown = row.get("images", row.get("image"))
    shown = [shown] if isinstance(shown, str) else shown or []
    return [one["image"] if isinstance(one, dict) else one for one in shown]
