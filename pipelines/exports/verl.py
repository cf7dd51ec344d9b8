"""verl: Parquet with `data_source, prompt, images, ability, reward_model, extra_info`. Run it from `trainer/`: images are paths below it.

`ground_truth` is JSON text: as a nested column, the keys of the other modality would come back as nulls.
"""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipelines.exports.rules import check_marks, check_truth, images, require, turns

TEXT = pa.string()
SCHEMA = pa.schema(
    [
        ("data_source", TEXT),
        ("prompt", pa.list_(pa.struct([("role", TEXT), ("content", TEXT)]))),
        ("images", pa.list_(pa.struct([("image", TEXT)]))),
        ("ability", TEXT),
        ("reward_model", pa.struct([("style", TEXT), ("ground_truth", TEXT)])),
        ("extra_info", pa.struct([("id", TEXT), ("split", TEXT), ("format", TEXT), ("source", TEXT), ("licence_id", TEXT)])),
    ]
)


def grpo_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """One prompt with what a rule-based reward compares with."""
    keys = ("split", "format", "source", "licence_id")
    return {
        "data_source": "dermoforge",
        "prompt": turns(row)[:1],
        "images": [{"image": path} for path in images(row)],
        "ability": "dermatology",
        "reward_model": {"style": "rule", "ground_truth": row["ground_truth"]},
        "extra_info": {"id": row["sample_id"], **{key: row[key] for key in keys}},
    }


def checked(row: dict[str, Any]) -> dict[str, Any]:
    """The row, if the loader can replace each mark by an image and the reward can read the truth. Raises ExportFault."""
    named = {"id": row["extra_info"]["id"]}
    require([turn["role"] for turn in row["prompt"]] == ["user"], named, "a prompt with more than the user's turn")
    check_marks(named, [row["prompt"][0]["content"]], len(row["images"]))
    require(row["reward_model"]["style"] == "rule", named, "a reward that is no rule")
    check_truth(named, json.loads(row["reward_model"]["ground_truth"]))
    return row
