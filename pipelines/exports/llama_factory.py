"""LLaMA-Factory: `messages` with `<image>` in the text and an `images` list, and `dataset_info.json` that says so (sharegpt tags).

Train with `dataset_dir: trainer/llama_factory` and `media_dir: trainer`. Its loudest complaint is a number of images that does not match the
number of marks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.exports.rules import check_turns, images, require, told, turns


def sft_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Role and content strings, images beside them."""
    return {"id": row["sample_id"], "messages": turns(row), "images": images(row), **told(row)}


def dataset_info(splits: Sequence[str]) -> dict[str, Any]:
    """The registry: an entry a split, `dermoforge_<split>`."""
    shape = {
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "images": "images"},
        "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"},
    }
    return {f"dermoforge_{split}": {"file_name": f"{split}.json", **shape} for split in splits}


def checked(row: dict[str, Any]) -> dict[str, Any]:
    """The row, if the sharegpt converter keeps it: an even number of turns, user first, as many marks as images. Raises ExportFault."""
    require(set(row) >= {"messages", "images"}, row, "no messages or images column")
    said = row["messages"]
    check_turns(row, [t["role"] for t in said], [t["content"] for t in said], len(row["images"]), ("user", "assistant"))
    return row
