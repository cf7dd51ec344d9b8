"""Rendering a lake: nothing written twice, caps and shares of the mix, prompts for rewards, pairs from several samples, checks that pass."""

import json
import shutil
from collections import Counter
from itertools import pairwise

import pyarrow as pa
import pytest

from pipelines.lake import Lake
from pipelines.mix import count
from pipelines.pairs import pair
from pipelines.render import judged, prompts, render
from pipelines.tables import TABLES
from prompts.mix import Mix


@pytest.fixture
def lake(corpus, tmp_path) -> Lake:
    shutil.copytree(corpus.home / "lake", tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


def made(lake: Lake, mix: Mix) -> list[dict]:
    render(lake, "phantom", count(lake, mix))
    return lake.read("samples").to_pylist()


def test_rendering_again_writes_nothing_and_emptied_samples_come_back(lake):
    before, version = lake.read("samples"), lake.version("samples")
    made(lake, Mix())
    assert lake.version("samples") == version
    lake.replace("samples", before.slice(0, 0), source="phantom")
    made(lake, Mix())
    assert lake.read("samples").equals(before)


def test_the_checks_pass_on_what_is_rendered(lake):
    found = judged(lake)
    assert not found.faults and not found.uneven_letters() and not found.given_away()
    assert not found.repeated and not found.crossing
    assert found.asked["choice"] > 100 and found.asked["hierarchy"] > 100
    counts = {found.letters["choice", 4][n] for n in range(4)}
    assert len(counts) == 1


def test_a_cap_keeps_so_many_pictures_of_a_diagnosis_and_says_what_it_left_out(lake):
    counted = count(lake, Mix(cap=5))
    left_out = render(lake, "phantom", counted)
    rows = [row for row in lake.read("samples").to_pylist() if row["format"] == "description" and row["split"] == "train"]
    kept = Counter(row["node"] for row in rows)
    assert max(kept.values()) == 5 and left_out["melanocytic nevus"] > 20
    assert {row["weight"] for row in rows if row["node"] == "nevus"} == {1.0}
    assert not judged(lake).uneven_letters()


def test_a_format_can_be_left_out(lake):
    assert "context" not in {row["format"] for row in made(lake, Mix(formats={"context": 0.0}))}


def test_weights_lift_what_is_rare_and_name_every_scale(lake):
    rows = [row for row in made(lake, Mix(tones="drawn")) if row["split"] == "train" and row["format"] == "description"]
    commonest = Counter(row["node"] for row in rows).most_common(1)[0][0]
    assert all(row["weight"] >= 1 and row["weight_why"] for row in rows)
    assert {row["tone_weights"][0]["system"] for row in rows} == {"drawn"}
    for row in rows:
        if row["node"] == commonest:
            assert row["weight"] == pytest.approx(row["tone_weights"][0]["weight"])


def test_prompts_are_the_first_turn_with_what_the_reward_compares(lake):
    assert not prompts(lake, "phantom")
    rows = lake.read("rl_prompts").to_pylist()
    samples = {(row["image_id"], row["format"]): row for row in lake.read("samples").to_pylist()}
    assert {row["task"] for row in rows} == {"task1", "task3"}
    for row in rows:
        sample = samples[row["image_id"], row["format"]]
        first, answer = json.loads(sample["messages"])
        assert row["prompt"] == first["content"] and row["prompt"].startswith("<image>")
        assert json.loads(row["ground_truth"])["task"] == row["task"]
        places = [answer["content"].index(f"<{tag}>") for tag in row["layout"]]
        assert places == sorted(places)


def test_several_samples_of_a_teacher_make_pairs_and_one_makes_none(lake):
    pair(lake, "phantom")
    assert lake.read("preference_pairs").num_rows == 0
    rows = lake.read("trajectories").to_pylist()
    told = json.dumps([{"stage": "observe", "check": "evidence", "passed": False, "detail": "no such colour"}])
    bad = [
        {**row, "sample": 1, "status": "rejected: evidence", "verdicts": told, "observation": other["observation"]}
        for row, other in pairwise(rows)
        if row["status"] == "accepted" and row["kind"] == other["kind"] and other["observation"]
    ]
    both = pa.Table.from_pylist([*rows, *bad], schema=TABLES["trajectories"].schema)
    lake.replace("trajectories", both, source="phantom")
    assert pair(lake, "phantom") and not pair(lake, "phantom")
    pairs = lake.read("preference_pairs").to_pylist()
    assert len(pairs) > 50 and {row["format"] for row in pairs} == {"description"}
    assert all(row["why"] == ["observe: evidence: no such colour"] and row["chosen"] != row["rejected"] for row in pairs)
