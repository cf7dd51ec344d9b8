"""Preference pairs in a release: what may go out does, in the layout that TRL's DPO trainer reads; the rest stays."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.audit import audit
from pipelines.exports import ExportFault
from pipelines.exports.preference import dpo_row
from pipelines.release import release
from pipelines.tables import TABLES
from tests.outgoing_lake import Made, lake_of, numbered

PHONE = "call +44 20 7946 0018"


def pair(image: Made, **changes) -> dict:
    """A pair about an image of the made lake."""
    row = {
        "pair_id": f"{image.number:024x}",
        "source": image.source,
        "image_id": image.image_id,
        "format": "description",
        "split": image.split,
        "prompt": "<image>\nWhat is seen?",
        "chosen": "A red patch with scale.",
        "rejected": "A patch that itches.",
        "why": ["observe: non_visual: itches (symptom)"],
        "teacher": "vllm:m",
        "revision": "1",
        "conditioning": "confirmed",
        "verified_by": 0,
        "licence_id": image.said,
        "attribution": "the owners",
    }
    return {**row, **changes}


def released(home: Path, images: list[Made], pairs: list[dict]):
    lake = lake_of(home, images)
    for source in {image.source for image in images}:
        mine = [row for row in pairs if row["source"] == source]
        lake.replace("preference_pairs", pa.Table.from_pylist(mine, schema=TABLES["preference_pairs"].schema), source=source)
    return release(lake, sorted({image.source for image in images}), home / "releases", "open")


def test_pairs_go_out_with_their_images_and_nothing_held_back_does(tmp_path):
    free, forbidden, gated, named = images = numbered(
        [Made(0), Made(0, licence="CC-BY-NC-4.0"), Made(0, gates=("no_colour",)), Made(0)]
    )
    pairs = [pair(free), pair(forbidden), pair(gated), pair(named, rejected=f"A patch, {PHONE}.")]
    done = released(tmp_path, images, pairs)
    assert done is not None
    (line,) = (done.path / "trainer/trl/dpo-train.jsonl").read_text().splitlines()
    assert json.loads(line)["id"] == pairs[0]["pair_id"]
    assert done.manifest["preference_pairs"] == {"train": 1}
    assert {check: faults for check, faults in audit(done.path).items() if faults} == {}


def test_another_pair_is_another_release(tmp_path):
    (image,) = images = numbered([Made(0)])
    first = released(tmp_path / "a", images, [pair(image)])
    second = released(tmp_path / "b", images, [pair(image, rejected="A patch that hurts.")])
    third = released(tmp_path / "c", images, [])
    assert first and second and third
    assert len({done.manifest["version"] for done in (first, second, third)}) == 3
    assert not (third.path / "trainer/trl/dpo-train.jsonl").exists()


def test_trl_reads_the_pairs_as_a_conversation_with_pictures(tmp_path):
    from datasets import load_dataset
    from trl.data_utils import is_conversational

    (image,) = images = numbered([Made(0)])
    done = released(tmp_path, images, [pair(image)])
    assert done
    file = str(done.path / "trainer/trl/dpo-train.jsonl")
    (row,) = load_dataset("json", data_files=file, split="train", cache_dir=str(tmp_path / "cache"))
    assert is_conversational({key: row[key] for key in ("prompt", "chosen", "rejected")})
    assert [part["type"] for part in row["prompt"][0]["content"]] == ["image", "text"]
    assert (done.path / "trainer" / row["images"][0]).is_file()


@pytest.mark.parametrize("change", [{"rejected": "A red patch with scale."}, {"chosen": " "}])
def test_a_pair_that_teaches_nothing_stops_the_release(change):
    with pytest.raises(ExportFault):
        dpo_row(pair(Made(0), **change))
