"""Preference pairs for TRL's DPO trainer: `prompt`, `chosen` and `rejected` as messages, `images` beside them, JSON lines.

Only a teacher that was asked several times gives pairs: most releases have none. What a rejected answer did wrong stands in `why`.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipelines.exports.rules import ExportFault, images, require, told
from pipelines.exports.trl import message

MARK = "<image>\n"


def dpo_row(pair: Mapping[str, Any]) -> dict[str, Any]:
    """One pair. Raises ExportFault."""
    question = {"role": "user", "content": pair["prompt"] if "<image>" in pair["prompt"] else MARK + pair["prompt"]}
    sides = {side: [message({"role": "assistant", "content": pair[side]})] for side in ("chosen", "rejected")}
    row = {
        "id": pair["pair_id"],
        "prompt": [message(question)],
        **sides,
        "images": images(pair),
        "why": pair["why"],
        **told(pair),
    }
    return checked(row)


def checked(row: dict[str, Any]) -> dict[str, Any]:
    """The row, if it asks once with its image and its two answers differ. Raises ExportFault naming the row and the rule."""
    parts = [part["type"] for part in row["prompt"][0]["content"]]
    require([one["role"] for one in row["prompt"]] == ["user"], row, "a prompt with more than the user's turn")
    require(
        parts.count("image") == len(row["images"]) == 1,
        row,
        f"{parts.count('image')} image parts for {len(row['images'])} images",
    )
    for side in ("chosen", "rejected"):
        require([one["role"] for one in row[side]] == ["assistant"], row, f"{side} is not one answer")
        require(bool(row[side][0]["content"][0]["text"].strip()), row, f"{side} is empty")
    require(row["chosen"] != row["rejected"], row, "both answers are the same")
    return row


def write_pairs(root: Path, pairs: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Write the pairs of each split below `root` and read them back; rows by path. Raises ExportFault naming file and row."""
    lines: dict[str, list[str]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda pair: pair["pair_id"]):
        lines[pair["split"]].append(json.dumps(dpo_row(pair), ensure_ascii=False, sort_keys=True))
    written = {}
    for split, mine in sorted(lines.items()):
        name = f"trainer/trl/dpo-{split}.jsonl"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("\n".join(mine) + "\n", encoding="utf-8")
        written[name] = _read_back(root, name)
    return written


def _read_back(root: Path, name: str) -> int:
    rows = [json.loads(line) for line in (root / name).read_text(encoding="utf-8").split("\n") if line]
    for number, row in enumerate(rows):
        try:
            checked(row)
        except ExportFault as fault:
            raise ExportFault(f"{name} row {number}: {fault}") from None
        for path in row["images"]:
            if not (root / "trainer" / path).is_file():
                raise ExportFault(f"{name} row {number}: {path} is not in the image tree")
    return len(rows)
