"""The endpoint engine against a server that throttles, breaks, lies and drips: everything ends, with an answer or a reason."""

import logging
from collections import Counter, deque

import pytest

from pipelines.teach.config import TeacherConfig
from pipelines.teach.engines import open_engine
from pipelines.teach.requests import EngineUnavailable
from pipelines.teach.stages import observe_request
from pipelines.teach.subjects import subjects
from pipelines.teach.teach import ask_missing, teach
from pipelines.teach.throttle import FIRST, Throttle
from tests.chat_server import MODEL

IMAGES = 24
FAULTS = ["status:500", "html", "close", "cut", "huge", "invalid", "empty", "status:502", "status:429:0.2", "status:503"]


def config(*urls: str, **options) -> TeacherConfig:
    endpoint = {"urls": urls, "timeout_seconds": 60, "patience_seconds": 8, **options}
    return TeacherConfig.model_validate({"engine": "endpoint", "model": MODEL, "endpoint": endpoint, "attempts": 1})


def questions(lake):
    return [observe_request(subject) for subject in subjects(lake, "phantom")[:IMAGES]]


def rows(lake):
    return lake.read("completions").to_pylist()


def test_a_good_server_is_asked_once_a_question(untaught, chat, url):
    done = ask_missing(untaught, questions(untaught), open_engine(untaught, config(url)), "t")
    assert (done.asked, done.failed) == (IMAGES, 0) and len(chat.bodies) == IMAGES
    again = ask_missing(untaught, questions(untaught), open_engine(untaught, config(url)), "t")
    assert (again.asked, again.cached) == (0, IMAGES) and len(chat.bodies) == IMAGES
    body = chat.bodies[0]
    assert body["response_format"]["json_schema"]["strict"] and body["seed"] >= 0
    assert body["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/jpeg;base64,/9j/")


def test_both_stages_run_through_it_and_the_second_waits_for_nobody(untaught, chat, url):
    done = teach(untaught, "phantom", open_engine(untaught, config(url)), config(url))
    stages = Counter(row["stage"] for row in rows(untaught))
    assert stages["observe"] == len(subjects(untaught, "phantom")) and stages["reason"] > 0
    assert done.asked == len(rows(untaught)) == len(chat.bodies)
    first_reason = next(n for n, body in enumerate(chat.bodies) if "reasoning" in str(body["response_format"]))
    assert first_reason < stages["observe"]


def test_every_fault_is_tried_again_and_costs_no_answer(untaught, chat, url):
    chat.faults = deque(FAULTS)
    # Chance may give one question every fault, and each a longer pause: no question is given up for that, nor the run.
    engine = open_engine(untaught, config(url, patience_seconds=300, tries=len(FAULTS) + 1))
    done = ask_missing(untaught, questions(untaught), engine, "t")
    assert (done.asked, done.failed) == (IMAGES, 0)
    assert len(chat.bodies) == IMAGES + len(FAULTS)


def test_a_dripping_answer_is_left(untaught, chat, url):
    chat.faults = deque(["drip", "drip"])
    engine = open_engine(untaught, config(url, timeout_seconds=3))
    assert ask_missing(untaught, questions(untaught)[:4], engine, "t").failed == 0


def test_a_request_that_fails_while_the_server_lives_is_a_row_with_a_reason(untaught, chat, url):
    chat.faults = deque(["status:500"] * 4)
    (one,) = questions(untaught)[:1]
    assert ask_missing(untaught, [one], open_engine(untaught, config(url, tries=4)), "t").failed == 1
    (row,) = rows(untaught)
    assert row["failure"] == "endpoint_failed" and "HTTP 500" in row["finish_reason"]


@pytest.mark.parametrize(
    ("fault", "failure"),
    [("refusal", "refused"), ("status:400", "request_refused"), ("status:422", "request_refused")],
)
def test_what_the_server_will_not_answer_is_a_row_at_once(untaught, chat, url, fault, failure):
    chat.faults = deque([fault])
    ask_missing(untaught, questions(untaught)[:1], open_engine(untaught, config(url)), "t")
    assert [row["failure"] for row in rows(untaught)] == [failure] and len(chat.bodies) == 1


def test_a_failed_answer_is_asked_with_new_seeds_and_then_given_up(untaught, chat, url):
    chat.faults = deque(["truncated"] * 10_000)
    several = config(url).model_copy(update={"attempts": 3})
    teach(untaught, "phantom", open_engine(untaught, several), several)
    per_image = Counter(row["image_id"] for row in rows(untaught))
    assert set(per_image.values()) == {3} and len({row["seed"] for row in rows(untaught)}) == len(rows(untaught))
    from pipelines.judge import judge

    status = judge(untaught, "phantom", open_engine(untaught, several).teacher, several)
    assert set(status) == {"rejected: truncated"}


def test_throttling_halves_the_load_until_the_server_keeps_up(untaught, chat, url):
    chat.takes = 2
    done = ask_missing(untaught, questions(untaught), open_engine(untaught, config(url)), "t")
    assert (done.asked, done.failed) == (IMAGES, 0)
    assert chat.statuses[429] < IMAGES


def test_two_servers_share_and_a_dead_one_is_left_alone(untaught, chat, url):
    done = ask_missing(untaught, questions(untaught), open_engine(untaught, config("http://127.0.0.1:9/v1", url)), "t")
    assert (done.asked, done.failed) == (IMAGES, 0)


def test_servers_that_answer_nobody_end_the_run_and_the_next_run_goes_on(untaught, chat, url):
    chat.faults = deque(["status:500"] * 5 + ["close"] * 100_000)
    with pytest.raises(EngineUnavailable, match="no answer for"):
        ask_missing(untaught, questions(untaught), open_engine(untaught, config(url, tries=100)), "t")
    assert not rows(untaught)
    chat.faults.clear()
    assert ask_missing(untaught, questions(untaught), open_engine(untaught, config(url)), "t").asked == IMAGES


def test_a_server_whose_engine_is_dead_fails_no_question_though_it_lists_its_models(untaught, chat, url):
    chat.dead, few = True, questions(untaught)[:4]
    with pytest.raises(EngineUnavailable, match="HTTP 500"):
        ask_missing(untaught, few, open_engine(untaught, config(url)), "t")
    assert not rows(untaught)
    chat.dead = False
    assert ask_missing(untaught, few, open_engine(untaught, config(url)), "t").asked == 4


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_or_path_stops_at_once(untaught, chat, url, status, monkeypatch, caplog):
    monkeypatch.setenv("DERMOFORGE_TEACHER_KEY", "secret")
    chat.faults = deque([f"status:{status}"] * 1000)
    with caplog.at_level(logging.DEBUG), pytest.raises(EngineUnavailable, match=f"HTTP {status}") as told:
        ask_missing(untaught, questions(untaught), open_engine(untaught, config(url)), "t")
    assert chat.keys == {"Bearer secret"}
    assert "secret" not in str(told.value) + caplog.text
    assert len(chat.bodies) <= FIRST


def test_the_key_reaches_no_row(untaught, chat, url, monkeypatch):
    monkeypatch.setenv("DERMOFORGE_TEACHER_KEY", "secret")
    chat.faults = deque(["status:400"])
    ask_missing(untaught, questions(untaught)[:2], open_engine(untaught, config(url)), "t")
    assert "secret" not in str(rows(untaught)) and "[key]" in str(rows(untaught))


def test_a_wrong_model_name_is_told_with_the_right_ones(untaught, url):
    wrong = config(url).model_copy(update={"model": "other"})
    with pytest.raises(EngineUnavailable, match=f"does not serve 'other', but {MODEL}"):
        ask_missing(untaught, questions(untaught), open_engine(untaught, wrong), "t")


def test_a_server_that_drops_pictures_is_not_asked(untaught, chat, url):
    chat.sees = False
    with pytest.raises(EngineUnavailable, match="does not see"):
        ask_missing(untaught, questions(untaught), open_engine(untaught, config(url)), "t")
    assert not chat.bodies


def test_a_throttle_settles_at_what_is_taken():
    throttle, now = Throttle(most=64), 0.0
    for _ in range(2000):
        now += 1.0
        if throttle.limit > 20:
            throttle.throttled(None, now)
        else:
            throttle.answered()
    assert 9 <= throttle.limit <= 21
    throttle.throttled(7.0, now)
    assert not throttle.room(0, now + 6.9) and throttle.room(0, now + 7.1)
