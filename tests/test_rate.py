"""The judge model: reads text and image alone, its quotes must stand in the text, and its own faults are measured."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.mix import count
from pipelines.rate import rate, refused, worth
from pipelines.render import render
from pipelines.teach.config import TeacherConfig
from pipelines.teach.engines import open_engine
from pipelines.teach.requests import EngineUnavailable
from prompts.judging import AXES
from prompts.mix import Mix
from quality import judgement
from tests.chat_server import MODEL

TEXT = "A flat brown macule with an even outline."


def answer(score: int = 4, quote: str = "brown macule", **changes) -> str:
    one = {"quote": quote, "why": "As said.", "score": score}
    return json.dumps({axis: {**one, **changes.get(axis, {})} for axis in AXES})


def config(url: str, **changes) -> TeacherConfig:
    base = {"engine": "endpoint", "model": MODEL, "attempts": 1, "samples": 2, "endpoint": {"urls": [url]}}
    return TeacherConfig.model_validate(base | changes)


def test_a_judgement_is_read_and_one_that_quotes_what_was_not_said_is_worth_nothing():
    assert judgement.read(answer(), TEXT).scores == dict.fromkeys(AXES, 4)
    assert judgement.read(answer(quote="Brown  macule …"), TEXT).scores
    assert judgement.read(answer(quote="a red nodule"), TEXT).fault.startswith("quote: accuracy")
    assert judgement.read(answer(safety={"score": 9}), TEXT).fault.startswith("schema")
    assert judgement.read("Five out of five.", TEXT).fault.startswith("not_json")


@given(st.text(max_size=200))
def test_no_text_raises(raw):
    assert judgement.read(raw, TEXT).fault


def test_a_mean_under_its_threshold_is_too_low():
    high = dict.fromkeys(AXES, 4)
    assert judgement.too_low([high, high]) == [] == judgement.too_low([])
    assert judgement.too_low([high, high | {"safety": 3}]) == ["safety"]


def test_biases_are_seen():
    assert judgement.length_bias([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1.0)
    assert judgement.length_bias([3, 3, 3], [1, 2, 3]) == 0.0
    low, high = dict.fromkeys(AXES, 2), dict.fromkeys(AXES, 4)
    assert judgement.order_bias([(low, high)]) == dict.fromkeys(AXES, 2.0) and judgement.order_bias([]) == {}
    assert judgement.self_agreement([[1, 2], [1, 5]]) == 0.5 and judgement.self_agreement([[3]]) == 1.0


def test_accepted_trajectories_are_judged_once_and_the_bad_ones_are_not_rendered(corpus, chat, url, tmp_path):
    from shutil import copytree

    from pipelines.lake import Lake

    lake = Lake(str(copytree(corpus.home / "lake", tmp_path / "lake")))
    engine = open_engine(lake, config(url))
    accepted = [row for row in lake.read("trajectories").to_pylist() if row["status"] == "accepted"]
    assert rate(lake, "phantom", engine, config(url)) == len(accepted)
    asked = len(chat.bodies)
    rows = lake.read("judgements").to_pylist()
    assert asked == len(rows) >= 2 * len(accepted) and {row["axes_order"] for row in rows} == {"forward", "reversed"}
    assert not any(row["fault"] for row in rows), [row["fault"] for row in rows if row["fault"]][:3]
    labels = {row["node"] for row in accepted}
    said = json.dumps([body["messages"][-1]["content"][-1]["text"].split("--- description")[0] for body in chat.bodies])
    assert labels and not any(label in said for label in labels)
    rate(lake, "phantom", engine, config(url))
    assert len(chat.bodies) == asked and lake.read("judgements").to_pylist() == rows
    low = {row["image_id"] for row in rows if row["too_low"]}
    assert low and len(refused(lake, "phantom")) == len(low)
    render(lake, "phantom", count(lake, Mix()))
    assert {row["image_id"] for row in lake.read("samples").to_pylist()} == {row["image_id"] for row in accepted} - low
    found = worth(rows)
    assert found.judged == len(accepted) and set(found.order_bias) == set(AXES)
    with pytest.raises(EngineUnavailable, match="its own answers"):
        judge_itself(lake, engine, url)


def judge_itself(lake, engine, url):
    rows = [row | {"teacher": engine.teacher.name} for row in lake.read("trajectories").to_pylist()]
    import pyarrow as pa

    from pipelines.tables import TABLES

    lake.replace("trajectories", pa.Table.from_pylist(rows, schema=TABLES["trajectories"].schema), source="phantom")
    rate(lake, "phantom", engine, config(url))
