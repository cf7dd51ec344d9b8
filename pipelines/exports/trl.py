"""TRL: `messages` whose content is a list of parts with `images` beside them for SFT, `prompt` with `images` and `ground_truth` for GRPO."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.exports.rules import MARK, check_morph, check_truth, images, require, told, turns

Message = dict[str, Any]


def sft_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """`messages` with content parts."""
    return {"id": row["sample_id"], "messages": [message(turn) for turn in turns(row)], "images": images(row), **told(row)}


def grpo_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """`prompt` is the first user turn; `ground_truth` is JSON text, because columns of nested values would be filled up with nulls."""
    prompt = [message(turns(row)[0])]
    return {"id": row["sample_id"], "prompt": prompt, "images": images(row), "ground_truth": row["ground_truth"], **told(row)}


def message(turn: Mapping[str, str]) -> Message:
    """A turn with its mark as an image part before the text."""
    parts: list[dict[str, str]] = [{"type": "image"}] * turn["content"].count(MARK)
    return {"role": turn["role"], "content": [*parts, {"type": "text", "text": turn["content"].replace(MARK, "").strip()}]}


def checked(row: dict[str, Any]) -> dict[str, Any]:
    """The row, if every message is a role with parts, and parts and images are as many. Raises ExportFault."""
    said: Sequence[Message] = row.get("messages") or row.get("prompt") or []
    roles = [one["role"] for one in said]
    wanted = ["user", "assistant"] * (len(said) // 2) if "messages" in row else ["user"]
    require(bool(said) and roles == wanted, row, f"roles {roles}")
    parts = [part for one in said for part in one["content"]]
    require(all(part["type"] in ("image", "text") for part in parts), row, "a part that is neither image nor text")
    require(all(part["text"].strip() for part in parts if part["type"] == "text"), row, "an empty text")
    shown = [part["type"] for part in said[0]["content"]].count("image")
    pictured = [part["type"] for part in parts].count("image")
    require(pictured == shown == len(row["images"]) > 0, row, f"{pictured} image parts for {len(row['images'])} images")
    require(
        not any(MARK in part.get("text", "") for part in parts), row, f"a text that holds {MARK} would show the image twice"
    )
    for one in said[1::2]:
        check_morph(row, one["content"][0]["text"])
    return row


def checked_grpo(row: dict[str, Any]) -> dict[str, Any]:
    """The row, if its ground truth can be read back from its text as well. Raises ExportFault."""
    require(isinstance(row.get("ground_truth"), str), row, "a ground_truth that is no text")
    check_truth(row, json.loads(row["ground_truth"]))
    return checked(row)
