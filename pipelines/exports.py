"""Trainer exports: the companion trainer's supervised JSON and GRPO JSONL over one image tree, checked by its loader's own rules."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.shard import image_path
from prompts.formats import GRPO_TASKS

ROLES = {"user": "human", "assistant": "gpt"}


class ExportFault(Exception):
    """A row that the trainer would refuse or, worse, silently train on without its image."""


def sft_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A supervised row in the LLaVA layout: id, image path, alternating conversations."""
    turns = [{"from": ROLES[t["role"]], "value": t["content"]} for t in json.loads(row["messages"])]
    return checked({"id": row["sample_id"], "image": image_path(row["image_id"]), "conversations": turns, **_marks(row)})


def grpo_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A GRPO row: the first human turn and what the reward compares with. The row must carry a ground truth."""
    ask = {"from": "human", "value": json.loads(row["messages"])[0]["content"]}
    truth = json.loads(row["ground_truth"])
    answer = {"from": "gpt", "value": truth["final_label"]}
    base = {"id": row["sample_id"], "image": image_path(row["image_id"]), "conversations": [ask, answer]}
    return checked({**base, "ground_truth": truth, **_marks(row)})


def _marks(row: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("format", "source", "teacher", "revision", "conditioning", "verified_by", "licence_id", "attribution")
    return {"generated": True, **{key: row[key] for key in keys}}


def checked(row: dict[str, Any]) -> dict[str, Any]:
    """The row, if the trainer's loader reads it as meant. Raises ExportFault naming the row and the rule."""
    turns = row["conversations"]
    roles = [turn["from"] for turn in turns]
    if roles != ["human", "gpt"] * (len(turns) // 2) or not turns:
        raise ExportFault(f"{row['id']}: human and gpt do not alternate")
    marks = sum(turn["value"].count("<image>") for turn in turns)
    if marks != 1 or "<image>" not in turns[0]["value"]:
        raise ExportFault(f"{row['id']}: {marks} <image> marks for one image, or not in the first turn")
    if any(not turn["value"].strip() for turn in turns):
        raise ExportFault(f"{row['id']}: an empty turn")
    return row


def write_exports(root: Path, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Write `trainer/sft/<split>.json` and `trainer/grpo/<split>.jsonl`; returns rows by path. Memory: the text of one split."""
    written = {}
    for split in sorted({row["split"] for row in rows}):
        mine = sorted((row for row in rows if row["split"] == split), key=lambda row: row["sample_id"])
        written[f"trainer/sft/{split}.json"] = _write(root, f"trainer/sft/{split}.json", [sft_row(r) for r in mine], array=True)
        rewards = [grpo_row(row) for row in mine if row["format"] in GRPO_TASKS and row["ground_truth"]]
        if rewards:
            written[f"trainer/grpo/{split}.jsonl"] = _write(root, f"trainer/grpo/{split}.jsonl", rewards, array=False)
    return written


def _write(root: Path, name: str, rows: Sequence[Mapping[str, Any]], *, array: bool) -> int:
    lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows]
    text = "[\n" + ",\n".join(lines) + "\n]\n" if array else "\n".join(lines) + "\n"
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return len(rows)
