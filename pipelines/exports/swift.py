"""ms-swift: `messages` and `images`, JSON lines; for GRPO the user's turn alone, and `solution` for the reward. Run it from `trainer/`."""

import json
from collections.abc import Mapping
from typing import Any

from pipelines.exports.rules import check_marks, check_truth, check_turns, images, require, told, turns


def sft_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Role and content strings, images beside them."""
    return {"id": row["sample_id"], "messages": turns(row), "images": images(row), **told(row)}


def grpo_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The first user turn; `solution` is JSON text."""
    asked = turns(row)[:1]
    return {"id": row["sample_id"], "messages": asked, "images": images(row), "solution": row["ground_truth"], **told(row)}


def checked(row: dict[str, Any]) -> dict[str, Any]:
    """The row, if its turns alternate and its marks match its images. Raises ExportFault."""
    said = row["messages"]
    check_turns(row, [t["role"] for t in said], [t["content"] for t in said], len(row["images"]), ("user", "assistant"))
    return row


def checked_grpo(row: dict[str, Any]) -> dict[str, Any]:
    """The row, if it asks once, shows its image and has a solution that parses. Raises ExportFault."""
    require([turn["role"] for turn in row["messages"]] == ["user"], row, "a GRPO row with more than the user's turn")
    check_marks(row, [row["messages"][0]["content"]], len(row["images"]))
    require(isinstance(row.get("solution"), str), row, "a solution that is no text")
    check_truth(row, json.loads(row["solution"]))
    return row
