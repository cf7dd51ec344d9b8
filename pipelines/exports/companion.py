"""The companion trainer (Qwen-VL fine-tuning in the LLaVA style): one JSON array for SFT, JSON lines for GRPO.

Its GRPO reads the first human turn alone; without an `<image>` there it silently trains on text.
"""

import json
from collections.abc import Mapping
from typing import Any

from pipelines.exports.rules import check_truth, check_turns, images, require, told, turns

ROLES = {"user": "human", "assistant": "gpt"}
TASKS = ("task1", "task3")


def sft_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A supervised row: id, image path, alternating conversations. Raises ExportFault."""
    said = [{"from": ROLES[turn["role"]], "value": turn["content"]} for turn in turns(row)]
    return checked({"id": row["sample_id"], "image": images(row)[0], "conversations": said, **told(row)})


def grpo_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A GRPO row: the first human turn and what the reward compares with. The row must carry a ground truth. Raises ExportFault."""
    ask = {"from": "human", "value": turns(row)[0]["content"]}
    truth = json.loads(row["ground_truth"])
    answer = {"from": "gpt", "value": truth["final_label"]}
    base = {"id": row["sample_id"], "image": images(row)[0], "conversations": [ask, answer]}
    return checked({**base, "ground_truth": truth, **told(row)})


def checked(row: dict[str, Any]) -> dict[str, Any]:
    """The row, if the trainer's loader reads it as meant. Raises ExportFault naming the row and the rule."""
    said, shown = row["conversations"], row["image"]
    count = len(shown) if isinstance(shown, list) else 1
    check_turns(row, [turn["from"] for turn in said], [turn["value"] for turn in said], count, ("human", "gpt"))
    return row


def checked_grpo(row: dict[str, Any]) -> dict[str, Any]:
    """The row, if the reward can use it too. Raises ExportFault."""
    check_truth(row, row.get("ground_truth"))
    require(row["ground_truth"]["task"] in TASKS, row, f"a task that the reward refuses: {row['ground_truth']['task']!r}")
    return checked(row)
