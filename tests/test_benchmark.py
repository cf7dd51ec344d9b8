"""The benchmark of a finished lake: built, kept apart from training, asked over HTTP, judged, and compared."""

import shutil

import pyarrow as pa
import pytest

from pipelines.benchmark.__main__ import main
from pipelines.benchmark.build import benchmark_version, build, counts, make, read_items, trained_on
from pipelines.benchmark.cases import held_out, prior, training
from pipelines.benchmark.grade import grade
from pipelines.benchmark.leaderboard import enter, enter_baselines, page, scored
from pipelines.benchmark.predict import predict
from pipelines.lake import Lake
from pipelines.tables import TABLES
from pipelines.teach.config import TeacherConfig
from pipelines.teach.engines import open_engine
from pipelines.teach.requests import EngineUnavailable, Teacher
from prompts.benchmark.items import TASKS
from prompts.ontology import load
from quality.benchmark.reading import by_words
from sources import phantom
from tests.benchmark_phantoms import oracle
from tests.chat_server import MODEL


@pytest.fixture
def lake(corpus, tmp_path) -> Lake:
    """A copy of the finished lake."""
    return Lake(str(shutil.copytree(corpus.home / "lake", tmp_path / "lake")))


def config(url: str, **changes) -> TeacherConfig:
    base = {"engine": "endpoint", "model": MODEL, "endpoint": {"urls": [url]}}
    return TeacherConfig.model_validate(base | changes)


def test_a_corpus_has_all_eleven_tasks_over_its_test_split(corpus):
    items = read_items(corpus.lake)
    assert {item.task for item in items} == set(TASKS) and len(counts(corpus.lake)) >= len(TASKS)
    splits = {row["image_id"]: row for row in corpus.lake.read("groups").to_pylist()}
    assert {splits[item.image_id]["split"] for item in items} == {"test"}
    assert {splits[item.image_id]["status"] for item in items} <= {"unique", "canonical"}
    assert all(item.basis == "expert" and item.licence_id == "CC0-1.0" for item in items)


def test_an_oracle_that_knows_the_drawing_scores_100_on_the_corpus(lake):
    lesions = phantom.truth().lesions
    items = read_items(lake)
    said = {item.item_id: oracle(item, lesions[item.image_id]) for item in items}
    rows = enter(lake, Teacher(name="oracle", revision="drawn", reads="pixels"), said, by_words(items, said), "words")
    headlines = {row["task"]: row["value"] for row in rows if row["headline"] and row["task"] != "fairness"}
    assert set(headlines) == set(TASKS) - {"fairness"} and set(headlines.values()) == {100.0}
    # A corpus of this size may have fewer than two skin tones with enough images: then nothing is said of fairness.
    assert {row["value"] for row in rows if row["task"] == "fairness"} <= {100.0, None}
    enter_baselines(lake)
    shown = page(lake)
    assert "| 2.1 diagnosis_4 | standard | 100.0 [100.0, 100.0] |" in shown and "+1.00" in shown
    assert all(f"baseline: {name}" in shown for name in ("constant", "random", "majority", "label prior"))


def test_a_second_build_changes_nothing_and_a_new_benchmark_starts_an_empty_board(lake):
    assert not build(lake)
    enter_baselines(lake)
    version = benchmark_version(lake)
    rows = lake.read("benchmark").slice(1)
    lake.replace("benchmark", rows)
    assert benchmark_version(lake) != version and "Nothing has been scored" in page(lake)
    assert lake.read("leaderboard").num_rows


def test_a_training_row_with_an_image_of_the_benchmark_or_of_its_group_is_found(lake):
    assert trained_on(lake) == []
    image = read_items(lake)[0].image_id
    rows = lake.read("samples").to_pylist()
    moved = [row | {"split": "train"} if row["image_id"] == image else row for row in rows]
    lake.replace("samples", pa.Table.from_pylist(moved, schema=TABLES["samples"].schema), source="phantom")
    assert trained_on(lake) == [f"samples {image}"]


def test_every_source_of_several_is_also_asked_about_alone(corpus):
    from dataclasses import replace

    held = held_out(corpus.lake)
    other = [replace(case, source="other", image_id=f"other:{n}", group=f"o{n}") for n, case in enumerate(held)]
    items = list(make([*held, *other], training(corpus.lake), load()))
    variants = {item.variant for item in items if item.task == "diagnosis_4"}
    assert variants == {"standard", "without phantom", "without other"}
    assert {item.source for item in items if item.variant == "without other"} == {"other"}
    assert {item.source for item in items if item.variant == "new source"} == {"other"}


def test_the_baselines_know_the_training_images_only(corpus):
    known = prior(training(corpus.lake))
    assert set(known.labels) == {"dermoscopic", "clinical"} and sum(known.labels["clinical"].values()) > 20
    assert known.classes["dermoscopic"]["melanocytic lesion"] >= known.labels["dermoscopic"]["melanoma"]


def test_a_served_model_is_asked_once_and_what_it_says_is_scored(lake, chat, url, capsys):
    items = read_items(lake)
    asked = {(item.image_id, item.question) for item in items}
    arguments = ["--lake", lake.url, "predict", "--url", url, "--model", MODEL]
    assert main(arguments) == 0
    assert len(chat.bodies) == len(asked) < len(items)
    assert not any("response_format" in body for body in chat.bodies)
    assert all(body["messages"][0]["content"][0]["type"] == "image_url" for body in chat.bodies)
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert len(chat.bodies) == len(asked) and f"0 questions asked now, {len(asked)} answered before" in printed.err
    # It answers every question with an observation: no option is chosen, and that is wrong and told.
    rows = [row for row in lake.read("leaderboard").to_pylist() if row["model"] == f"endpoint:{MODEL}"]
    accuracy = {row["task"]: row for row in rows if row["measure"] == "accuracy"}
    assert accuracy["skincon"]["value"] == 0.0 and accuracy["skincon"]["unreadable"] == accuracy["skincon"]["items"]


def test_what_a_server_refuses_is_wrong_and_a_run_goes_on_where_it_stood(lake, chat, url):
    items = read_items(lake)[:40]
    engine = open_engine(lake, config(url))
    first = predict(lake, items[:10], engine)
    chat.faults.extend(["refusal"] * 3)
    both = predict(lake, items, engine)
    assert first.failed == 0 and both.failed == 3 and both.asked + first.asked == len({(i.image_id, i.question) for i in items})
    found = {row["task"] for row in scored(items, both.said, by_words(items, both.said))}
    assert found == {item.task for item in items}


def test_a_judge_counts_claims_with_three_votes_and_never_its_own_answers(lake, chat, url):
    items = [item for item in read_items(lake) if item.task == "description"]
    said = {item.item_id: f"There is something brown, text {n}." for n, item in enumerate(items[:-1])}
    judged = grade(lake, items, said, open_engine(lake, config(url)), "endpoint:somebody")
    assert len(chat.bodies) == 3 * (len(items) - 1) and judged[items[-1].item_id] is None
    assert all(len(body["messages"][0]["content"]) == 1 for body in chat.bodies)
    for item in items[:-1]:
        counts = judged[item.item_id]
        assert counts.supported == counts.claims == len(item.truth["claims"]) and 0 <= counts.extra <= 1
    again = grade(lake, items, said, open_engine(lake, config(url)), "endpoint:somebody")
    assert again == judged and len(chat.bodies) == 3 * (len(items) - 1)
    with pytest.raises(EngineUnavailable, match="its own answers"):
        grade(lake, items, said, open_engine(lake, config(url)), f"endpoint:{MODEL}")


@pytest.mark.parametrize(
    ("arguments", "told", "status"),
    [
        (["predict"], "--url URL --model NAME", 2),
        (["predict", "--url", "nonsense", "--model", "m"], "is not a URL", 1),
        (["predict", "--config", "missing.toml"], "missing.toml", 2),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(lake, capsys, arguments, told, status):
    assert main(["--lake", lake.url, *arguments]) == status
    assert told in capsys.readouterr().err


SERVER = ["--url", "http://127.0.0.1:9/v1", "--model", "m"]


@pytest.mark.parametrize(
    ("arguments", "told", "status"),
    [
        (["--tasks", "hierarchy,diagnoses"], "no task is called diagnoses; there are ", 2),
        (["--tasks", "hierarchy"], "build it first", 1),
        ([], "build it first", 1),
    ],
)
def test_a_task_that_is_none_is_refused_and_an_empty_benchmark_is_told(tmp_path, capsys, arguments, told, status):
    assert main(["--lake", str(tmp_path / "lake"), "predict", *SERVER, *arguments]) == status
    assert told in capsys.readouterr().err


def test_the_composer_is_no_model_to_be_tested(lake):
    with pytest.raises(EngineUnavailable, match="looks at no picture"):
        predict(lake, read_items(lake), open_engine(lake, TeacherConfig.model_validate({})))


def test_an_empty_lake_has_an_empty_benchmark(tmp_path):
    empty = Lake(str(tmp_path / "lake"))
    assert build(empty) and read_items(empty) == [] and trained_on(empty) == []
    assert enter_baselines(empty) == []
    assert set(counts(empty).values()) == {0}
