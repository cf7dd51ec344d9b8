"""Rules that several loaders share: turns that alternate, as many `<image>` marks as images, a `<morph>` that parses, a full ground truth."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.shard import image_path
from prompts.formats import GRPO_TASKS
from prompts.schemas import DERM7PT_KEY, DERM7PT_TITLES, SKINCON_KEY

MARK = "<image>"
TRUTH_KEYS = {"task", "modality", "final_label", "taxon_path", "morph"}
_MORPH = re.compile(r"<morph>(.*)</morph>", re.DOTALL)


class ExportFault(Exception):
    """A row that a trainer would refuse or, worse, silently train on without its image; the message names it, and its file once it has one."""


def require(true: bool, row: Mapping[str, Any], rule: str) -> None:
    """Raises ExportFault with the row's id and the rule that it breaks."""
    if not true:
        raise ExportFault(f"{row.get('id', 'a row without id')}: {rule}")


def check_turns(row: Mapping[str, Any], roles: Sequence[str], texts: Sequence[str], images: int, pair: tuple[str, str]) -> None:
    """A conversation: `pair` of roles by turns, nothing empty, a mark for every image, all in the first turn."""
    require(bool(roles) and list(roles) == list(pair) * (len(roles) // 2), row, f"{pair[0]} and {pair[1]} do not alternate")
    require(all(text.strip() for text in texts), row, "an empty turn")
    check_marks(row, texts, images)
    for text in texts[1::2]:
        check_morph(row, text)


def check_marks(row: Mapping[str, Any], texts: Sequence[str], images: int) -> None:
    """As many marks as images, in the first turn: a later image would not be seen by earlier answers."""
    marks = sum(text.count(MARK) for text in texts)
    require(
        marks == images > 0 and texts[0].count(MARK) == marks,
        row,
        f"{marks} {MARK} marks for {images} images, or not in the first turn",
    )


def check_morph(row: Mapping[str, Any], text: str) -> None:
    """The whole body of a `<morph>` is one JSON object: it nests, so that a reader that stops at the first brace gets half of it."""
    found = _MORPH.search(text)
    try:
        whole = found is None or isinstance(json.loads(found[1]), dict)
    except ValueError:
        whole = False
    require(whole, row, "a <morph> whose body is no JSON object")


def check_truth(row: Mapping[str, Any], truth: Any) -> None:
    """What the companion trainer's reward reads: its five keys, a task that it knows, and the morphology of the modality in Title Case."""
    require(isinstance(truth, dict) and set(truth) == TRUTH_KEYS, row, f"a ground_truth without exactly {sorted(TRUTH_KEYS)}")
    require(truth["task"] in GRPO_TASKS.values(), row, f"a task that the reward refuses: {truth['task']!r}")
    require(truth["modality"] in ("dermoscopic", "clinical"), row, f"an unknown modality: {truth['modality']!r}")
    require(
        bool(truth["final_label"]) and truth["final_label"] not in truth["taxon_path"],
        row,
        "a leaf that stands in its own path",
    )
    if truth["modality"] == "clinical":
        concepts = truth["morph"].get(SKINCON_KEY)
        require(isinstance(concepts, list) and concepts == sorted(concepts), row, f"no sorted list {SKINCON_KEY}")
        return
    seven = truth["morph"].get(DERM7PT_KEY)
    require(
        isinstance(seven, dict) and set(seven) == set(DERM7PT_TITLES.values()),
        row,
        f"{DERM7PT_KEY} without its seven Title Case keys",
    )


def turns(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """The turns of a sample as (role, content): `user` and `assistant`, the mark in the text."""
    return [{"role": turn["role"], "content": turn["content"]} for turn in json.loads(row["messages"])]


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a trainer ignores and a person asks for: where a row comes from, and on what terms."""
    keys = ("format", "source", "teacher", "revision", "conditioning", "verified_by", "licence_id", "attribution")
    return {"generated": True, **{key: row[key] for key in keys}}


def images(row: Mapping[str, Any]) -> list[str]:
    """Paths of a sample's images below `trainer/`."""
    return [image_path(row["image_id"])]


def rewarded(row: Mapping[str, Any]) -> bool:
    """Whether a sample is material for reinforcement learning: a format that the reward knows, with a ground truth."""
    return row["format"] in GRPO_TASKS and bool(row["ground_truth"])
